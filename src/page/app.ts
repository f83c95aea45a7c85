/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The chat page: a door where a name and a room are chosen, and the room.
 *
 * `/` is the door, `/r/{room}` a room; its address is an invitation. `#token={jwt}` at its end
 * lets one in where the server asks for a token, and never reaches a server's log.
 *
 * @module
 */

import { decodeRoom } from "../protocol/mod.ts";
import { setUpAbout } from "./about.ts";
import { openDoor } from "./door.ts";
import { Memory } from "./memory.ts";
import { RoomView } from "./room_view.ts";

const memory = new Memory();
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token !== null) {
  memory.token = token;
  history.replaceState(null, "", location.pathname);
}
const invited = location.pathname.match(/^\/r\/([^/]+)$/)?.[1] ?? "";
const isNamed = memory.user !== "" || memory.token !== undefined;

// Back from a room to the door: neither has anything to take down.
addEventListener("popstate", () => location.reload());

if (decodeRoom(invited).ok && isNamed) enter(memory.user, invited);
else {
  setUpAbout(undefined);
  openDoor({
    user: memory.user,
    room: invited || memory.room || "lobby",
    onEnter: ({ user, room }) => {
      memory.user = user;
      // Not a new page: where the browser may not remember anything, the name would be lost.
      if (location.pathname !== `/r/${room}`) history.pushState(null, "", `/r/${room}`);
      enter(user, room);
    },
  });
}

function enter(user: string, room: string): void {
  memory.room = room;
  setUpAbout(room);
  new RoomView({ room, user, memory });
}
