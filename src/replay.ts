/**
 * What a member missed that is no longer in memory.
 *
 * @module
 */

import { isCursor, ORIGIN } from "./entry.ts";
import { Frame } from "./frame.ts";
import type { RoomLog } from "./log.ts";
import type { Seat } from "./seat.ts";
import type { Tail } from "./tail.ts";

/** Records in a page: the member must have taken one before the next is read. */
const PAGE = 100;

/** Where a replay reads, and for whom. */
export interface ReplayOptions {
  /** The room, which goes on delivering meanwhile. */
  readonly room: {
    readonly name: string;
    /** The place up to which it has delivered. */
    readonly cursor: string;
    /** Reads the log on from there. Never rejects. */
    catchUp(): Promise<void>;
  };
  /** The room's newest records. */
  readonly tail: Tail;
  /** Its log. */
  readonly log: RoomLog;
}

/**
 * Sends a member what the log holds between its cursor and the tail, page by page, as fast as the
 * member takes it.
 *
 * @param seat Where the member is to sit.
 * @param after The cursor that the member gave.
 * @param options Where to read.
 * @returns A cursor from which the tail goes on, or undefined where the one given cannot be
 * honoured: it is none, or no longer kept.
 * @throws Whatever KV rejects with.
 */
export async function replay(
  seat: Seat,
  after: string,
  options: ReplayOptions,
): Promise<string | undefined> {
  const { room, tail, log } = options;
  const { name } = room;
  const isReached = () => after === room.cursor || tail.has(after);
  if (isReached()) return after;
  if (!isCursor(after)) return undefined;
  // An isolate that was ahead of this one may have given it.
  if (after > room.cursor) await room.catchUp();
  if (after > room.cursor) return undefined;
  const isKept = after === ORIGIN ? !log.expires : await log.has(name, after);
  if (!isKept) return undefined;
  while (seat.state !== "left" && !isReached()) {
    const until = tail.oldest?.cursor ?? room.cursor;
    const page = await log.after(name, after, { limit: PAGE, until });
    // Nothing is left of what was between: it has expired.
    if (page.length === 0) return room.cursor;
    after = page[page.length - 1].cursor;
    const shown = page.filter((record) => !record.repeats);
    if (shown.length > 0) seat.send(new Frame(shown.map((record) => record.envelope)));
    await seat.member.drained?.();
  }
  return after;
}
