import type { Room, RoomMessage } from "@hubbub/client";
import { memo, useState } from "react";

const EMOJIS = ["👍", "❤️", "🎉"];
const time = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

interface MessageProps {
  readonly room: Room;
  readonly message: RoomMessage;
  readonly isOwn: boolean;
}

// A message that did not change is the same object: it is not rendered again.
export const Message = memo(({ room, message, isOwn }: MessageProps) => {
  const [isEditing, setIsEditing] = useState(false);
  const {
    user,
    name = user,
    text,
    at,
    deleted,
    editedAt,
    reactions = [],
    status,
  } = message;
  const isStored = status === "sent" && !deleted;
  return (
    <article className={status} aria-label={`${name}: ${text}`}>
      <p className="head">
        <b>{name}</b> <time>{time.format(at)}</time>
        {editedAt !== undefined && !deleted && <i>edited</i>}
        {status === "waiting" && <i>waiting for the connection</i>}
      </p>
      {isEditing
        ? (
          <form
            action={(data) => {
              setIsEditing(false);
              void room.edit(message, { text: String(data.get("text")) });
            }}
          >
            <input
              name="text"
              aria-label="New text"
              defaultValue={text}
              autoFocus
            />
            <button>Save</button>
          </form>
        )
        : <p className="text">{deleted ? <i>deleted</i> : text}</p>}
      {status === "failed" && (
        <p role="alert">
          {message.error?.message}{" "}
          <button onClick={() => void room.retry(message)}>Send again</button>
          <button onClick={() => room.discard(message)}>Discard</button>
        </p>
      )}
      <p className="reactions">
        {reactions.map(({ emoji, count, mine, users }) => (
          <button
            key={emoji}
            aria-pressed={mine === true}
            title={users.join(", ")}
            onClick={() => void room.react(message, emoji, !mine)}
          >
            {emoji} {count}
          </button>
        ))}
      </p>
      {isStored && (
        <p className="tools">
          {EMOJIS.map((emoji) => (
            <button
              key={emoji}
              aria-label={`React with ${emoji}`}
              onClick={() => void room.react(message, emoji)}
            >
              {emoji}
            </button>
          ))}
          {isOwn && <button onClick={() => setIsEditing(!isEditing)}>Edit</button>}
          {isOwn && <button onClick={() => void room.delete(message)}>Delete</button>}
        </p>
      )}
    </article>
  );
});
