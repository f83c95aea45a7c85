import { ChatProvider } from "@hubbub/client/react";
import { useState } from "react";
import { Channel } from "./Channel.tsx";
import { ChannelList } from "./ChannelList.tsx";
import { SignIn } from "./SignIn.tsx";
import { useClient } from "./useClient.ts";

/** Rooms that are open at the same time. */
const OPEN_MAX = 2;

export function App() {
  const [user, setUser] = useState(sessionStorage.getItem("user") ?? "");
  const client = useClient(user);
  const [rooms, setRooms] = useState(["lobby"]);

  if (!client) {
    return (
      <SignIn
        onSignIn={(name) => {
          sessionStorage.setItem("user", name);
          setUser(name);
        }}
      />
    );
  }
  const open = (room: string) => {
    if (!rooms.includes(room)) setRooms([...rooms, room].slice(-OPEN_MAX));
  };
  const close = (room: string) => setRooms(rooms.filter((name) => name !== room));
  return (
    <ChatProvider client={client}>
      <ChannelList open={open} isOpen={(room) => rooms.includes(room)} />
      {rooms.map((room) => (
        <Channel
          key={room}
          name={room}
          close={() => close(room)}
        />
      ))}
    </ChatProvider>
  );
}
