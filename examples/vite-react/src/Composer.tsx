import { useRoom, useTyping } from "@hubbub/client/react";
import { type FormEvent, useState } from "react";

export function Composer({ name }: { name: string }) {
  const { room } = useRoom(name);
  const { typing, setTyping } = useTyping(name);
  const [text, setText] = useState("");

  function send(event: FormEvent) {
    event.preventDefault();
    if (text.trim() === "") return;
    setText("");
    // Shown at once; one that is refused stays as "failed", which Message.tsx shows.
    void room.send({ text });
  }

  return (
    <form className="composer" onSubmit={send}>
      <p className="typing">
        {typing.length > 0 && `${typing.join(", ")} typing…`}
      </p>
      <input
        aria-label={`Message to ${name}`}
        placeholder={`Message to #${name}`}
        value={text}
        onChange={({ target: { value } }) => {
          setText(value);
          setTyping(value !== "");
        }}
      />
      <button>Send</button>
    </form>
  );
}
