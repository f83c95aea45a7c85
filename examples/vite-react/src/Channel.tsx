import { useConnection, useRoom } from "@hubbub/client/react";
import { Fragment, useLayoutEffect, useRef, useState } from "react";
import { Composer } from "./Composer.tsx";
import { Message } from "./Message.tsx";
import { useReading } from "./useReading.ts";

export function Channel({ name, close }: { name: string; close: () => void }) {
  const { user } = useConnection();
  const { room, snapshot } = useRoom(name, { history: 50 });
  const { messages, hasOlder, status, error, users } = snapshot;
  const list = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const news = useReading(room, snapshot, isAtEnd);

  useLayoutEffect(() => {
    if (isAtEnd) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [messages, isAtEnd]);

  return (
    <section aria-label={name}>
      <header>
        <h2># {name}</h2>
        <span title={users.join(", ")}>{snapshot.userCount} here</span>
        <button aria-label={`Close ${name}`} onClick={close}>×</button>
      </header>
      <div
        ref={list}
        className="messages"
        onScroll={(
          { currentTarget: { scrollTop, scrollHeight, clientHeight } },
        ) => {
          setIsAtEnd(scrollTop + clientHeight > scrollHeight - 40);
        }}
      >
        {hasOlder && <button onClick={() => void room.loadOlder()}>Older messages</button>}
        {messages.map((message) => (
          <Fragment key={message.ref ?? message.cursor}>
            {message.cursor !== undefined && message.cursor === news && <hr data-text="New" />}
            <Message
              room={room}
              message={message}
              isOwn={message.user === user}
            />
          </Fragment>
        ))}
      </div>
      {status !== "live" && <p role="status">{error?.message ?? status}</p>}
      <Composer name={name} />
    </section>
  );
}
