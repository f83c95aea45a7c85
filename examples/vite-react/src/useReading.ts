import type { Room, RoomSnapshot } from "@hubbub/client";
import { useEffect, useState } from "react";

/**
 * Marks a room as read while its newest messages are in view; gives the message before which the
 * line "New" stands: the first one that was unread when the reader last looked away.
 */
export function useReading(
  room: Room,
  snapshot: RoomSnapshot,
  isAtEnd: boolean,
) {
  const { messages, firstUnread, status } = snapshot;
  const isSeen = useIsVisible() && isAtEnd;
  const [news, setNews] = useState<string>();

  useEffect(() => {
    // What comes while one looks is no news.
    if (firstUnread !== undefined && (!isSeen || news === undefined)) {
      setNews(firstUnread);
    }
    if (isSeen && status === "live") room.markRead();
  }, [room, messages, firstUnread, status, isSeen, news]);
  return news;
}

function useIsVisible(): boolean {
  const [isVisible, setIsVisible] = useState(
    document.visibilityState === "visible",
  );
  useEffect(() => {
    const look = () => setIsVisible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return isVisible;
}
