/**
 * The rooms of a user, with what is unread in each.
 *
 * @module
 */

import { ORIGIN } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import type { RoomLog } from "../store/room_log.ts";
import { placeAfter, type ReadMark } from "../store/user_rooms.ts";
import { PAGE_LENGTH } from "./message_page.ts";
import { readPresentPage } from "./present_page.ts";
import type { Unread, UnreadReader } from "./unread.ts";
import type { UnreadCounts } from "./unread_counts.ts";

/** Rooms that are read at the same time. */
const AT_ONCE = 4;
/** Rooms whose ends are read together. */
const HEADS_AT_ONCE = 100;

/** One of a user's rooms. */
export interface OverviewRoom extends Unread {
  /** Its name. */
  readonly room: string;
  /** Where its log ends. */
  readonly cursor: string;
  /** The place up to which the user has read it. */
  readonly read: string;
  /** Its newest message; null where there is none. */
  readonly last: LogRecord | null;
}

/** A page of a user's rooms, those that something happened in last coming first. */
export interface Overview {
  /** The rooms. */
  readonly rooms: readonly OverviewRoom[];
  /** What to ask for the next page with; null at the end. */
  readonly next: string | null;
}

/** What an overview reads at a time. */
export interface OverviewRead {
  /** The ends of so many rooms. @default {0} */
  readonly heads?: number;
  /** So many rooms, with what is unread in them. @default {0} */
  readonly rooms?: number;
}

/** What {@linkcode readOverview} reads. */
export interface OverviewOptions {
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** Counts what is unread. */
  readonly counts: UnreadCounts;
  /** The user. */
  readonly reader: UnreadReader;
  /** By room, up to where the user has read it. */
  readonly marks: ReadonlyMap<string, ReadMark>;
  /** Tells whether a room is open to the user. */
  readonly isOpen: (room: string) => Promise<boolean>;
  /** Reads something when it is its turn; may refuse to. */
  readonly inTurn: <T>(what: OverviewRead, read: () => Promise<T>) => Promise<T>;
  /** The most rooms. */
  readonly limit: number;
  /** The `next` of the page before. @default {undefined} the first page */
  readonly after?: string;
}

/**
 * Reads a page of the rooms of a user. Rooms that are not open to the user are left out.
 *
 * @param options Whose, and which page.
 * @returns The page.
 * @throws Whatever the store or `inTurn` rejects with.
 */
export async function readOverview(options: OverviewOptions): Promise<Overview> {
  const { log, marks, limit, after, inTurn } = options;
  const names = [...marks.keys()];
  const heads: string[] = [];
  while (heads.length < names.length) {
    const some = names.slice(heads.length, heads.length + HEADS_AT_ONCE);
    heads.push(...await inTurn({ heads: some.length }, () => log.heads(some)));
  }
  // Of two rooms that end at one place the name decides.
  const sorted = names.map((room, index) => ({ room, head: heads[index] }))
    .map((entry) => ({ ...entry, place: `${entry.head}.${entry.room}` }))
    .sort((a, b) => a.place < b.place ? 1 : -1)
    .filter(({ place }) => after === undefined || place < after);
  const rooms: OverviewRoom[] = [];
  let at = 0;
  while (at < sorted.length && rooms.length < limit) {
    const some = sorted.slice(at, at + Math.min(AT_ONCE, limit - rooms.length));
    at += some.length;
    const read = await inTurn({ rooms: some.length }, () => {
      return Promise.all(some.map(({ room, head }) => readRoom(room, head, options)));
    });
    rooms.push(...read.filter((room) => room !== undefined));
  }
  return { rooms, next: at < sorted.length ? sorted[at - 1].place : null };
}

async function readRoom(
  room: string,
  cursor: string,
  { log, counts, marks, reader, isOpen }: OverviewOptions,
): Promise<OverviewRoom | undefined> {
  if (!await isOpen(room)) return undefined;
  const mark = marks.get(room)!;
  const [unread, page, read] = await Promise.all([
    counts.count(room, { head: cursor, mark }, reader),
    readPresentPage(log, room, { limit: 1, maxLength: PAGE_LENGTH }),
    readPlace(log, room, mark),
  ]);
  return { room, cursor, ...unread, read, last: page.messages.at(-1) ?? null };
}

/**
 * Gives a mark as a place that clients can compare with messages.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param mark The mark.
 * @returns The cursor of the newest message up to the mark; the origin where there is none.
 * @throws Whatever the store rejects with.
 */
export async function readPlace(log: RoomLog, room: string, mark: ReadMark): Promise<string> {
  const [last] = await log.before(room, placeAfter(mark), { limit: 1, shownOnly: true });
  return last?.cursor ?? ORIGIN;
}
