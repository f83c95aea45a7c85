import type { ListedRoom } from "@hubbub/client";
import { useConnection, useRooms } from "@hubbub/client/react";
import { useEffect } from "react";

interface ChannelListProps {
  readonly open: (room: string) => void;
  readonly isOpen: (room: string) => boolean;
}

export function ChannelList({ open, isOpen }: ChannelListProps) {
  const { rooms } = useRooms();
  const { user, status, reason } = useConnection();
  const unread = rooms.reduce((sum, room) => sum + room.unread, 0);

  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Hubbub in React` : "Hubbub in React";
  }, [unread]);

  return (
    <nav aria-label="Channels">
      <h1>{user}</h1>
      <p className="status" role="status">
        {status === "waiting" ? `Not connected: ${reason}` : status}
      </p>
      <ul>
        {rooms.map((room) => (
          <li key={room.room}>
            <button
              aria-pressed={isOpen(room.room)}
              onClick={() => open(room.room)}
            >
              <span># {room.room}</span>
              <Badge {...room} />
              <small>
                {room.last && `${room.last.user}: ${room.last.text}`}
              </small>
            </button>
          </li>
        ))}
      </ul>
      <form
        action={(data) =>
          open(
            String(data.get("room")).trim().toLowerCase().replace(/\s+/g, "-"),
          )}
      >
        <input
          name="room"
          aria-label="Another channel"
          placeholder="Another channel"
          required
        />
        <button>Join</button>
      </form>
    </nav>
  );
}

function Badge({ unread, mentions }: ListedRoom) {
  if (unread === 0) return null;
  return (
    <b
      className={mentions > 0 ? "badge mention" : "badge"}
      aria-label={`${unread} unread`}
    >
      {mentions > 0 && "@"}
      {unread > 99 ? "99+" : unread}
    </b>
  );
}
