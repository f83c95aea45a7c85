import { assertEquals } from "@std/assert";
import type { Message, RoomLog } from "@hubbub/hub";
import { ORIGIN } from "../../src/store/cursor.ts";
import { messageText } from "../../src/store/entry.ts";

/** Reads the whole log of a room. */
export async function readLog(log: RoomLog, room: string): Promise<Message[]> {
  const records = await log.after(room, ORIGIN, { limit: Infinity, shownOnly: true });
  return records.map((record) => JSON.parse(messageText(record)));
}

/**
 * Checks that messages are a run of the log: in its order, nothing twice, nothing left out, every
 * one exactly as stored.
 *
 * @param messages What somebody got.
 * @param log The whole log.
 * @param first Where the run must begin, as an index of the log; where it does not matter, -1.
 * @returns The index behind its end.
 */
export function assertRun(
  messages: readonly Message[],
  log: readonly Message[],
  first: number = -1,
): number {
  if (messages.length === 0) return Math.max(first, 0);
  const found = log.findIndex((message) => message.cursor === messages[0].cursor);
  const start = first === -1 ? found : first;
  // Comparing by hand is much faster, and assertEquals() shows what differs.
  const run = log.slice(start, start + messages.length);
  const isSame = run.length === messages.length &&
    run.every((message, index) => isEqual(message, messages[index]));
  if (!isSame) assertEquals(messages, run);
  return start + messages.length;
}

const KEYS = ["cursor", "id", "room", "user", "text", "sent_at", "ref"] as const;

function isEqual(one: Message, other: Message): boolean {
  return KEYS.every((key) => one[key] === other[key]) &&
    Object.keys(one).length === Object.keys(other).length;
}
