import { joinLines, type LogEntry } from "../../src/store/entry.ts";
import { type EntryLine, entryLine, type StoredMessage } from "../../src/store/entry_line.ts";
import type { RoomLog } from "@hubbub/hub";

/** Makes a line of a log; what is left out does not matter to the test. */
export function storedLine(
  message: Partial<StoredMessage> & { readonly text: string },
): EntryLine {
  const { id = `id of ${message.text}`, user = "ann", text, ref } = message;
  const sent_at = message.sent_at ?? "2026-01-01T00:00:00.000Z";
  return entryLine(JSON.stringify({ id, user, text, sent_at, ref }));
}

/** Makes an entry of texts. */
export function storedEntry(texts: readonly string[]): LogEntry {
  return joinLines(texts.map((text) => storedLine({ text })), `id of ${texts.at(-1)}`);
}

/** The texts "0", "1" and so on. */
export function numbers(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => String(from + index));
}

/**
 * Fills a room with messages.
 *
 * @param perEntry How many go into each entry.
 * @returns The versionstamps of the entries.
 */
export async function fill(
  log: RoomLog,
  room: string,
  { texts, perEntry }: { readonly texts: readonly string[]; readonly perEntry: number },
): Promise<string[]> {
  const versionstamps: string[] = [];
  for (let at = 0; at < texts.length; at += perEntry) {
    const entry = storedEntry(texts.slice(at, at + perEntry));
    versionstamps.push(await log.append(new Map([[room, entry]])));
  }
  return versionstamps;
}
