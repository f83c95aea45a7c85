/**
 * Recovery of what a member missed and is no longer in memory.
 *
 * @module
 */

import { isCursor, isOfChange } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import type { ErasedUsers } from "../store/erased_users.ts";
import { PlaceLostError } from "../store/place_lost.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Erasures } from "./erasures.ts";
import type { MessageTexts } from "./message_batch.ts";
import { PAGE_LENGTH } from "./message_page.ts";
import type { DeduplicationWindow } from "./deduplication_window.ts";
import type { OpeningGate } from "./opening_gate.ts";
import { foldPage, readMissedChanges } from "./read_on.ts";
import { lengthOf } from "./read_records.ts";
import { merge, type RecentChanges } from "./recent_changes.ts";
import type { RecentMessages } from "./recent_messages.ts";
import type { RoomSubscription } from "./subscription.ts";

/** Records in a page: the member must have taken one before the next is read. */
const PAGE = 100;
/** Changes that are read for a page. */
const CHANGES_PAGE = 400;

/** Where a recovery reads. */
export interface RecoveryOptions {
  /** The room, which goes on delivering meanwhile. */
  readonly room: {
    /** Its name. */
    readonly name: string;
    /** The place up to which everything has been delivered. */
    readonly cursor: string;
    /** Reads the log on from there. Never rejects. */
    catchUp(): Promise<void>;
  };
  /** The room's newest records. */
  readonly recent: RecentMessages;
  /** Its newest changes. */
  readonly changes: Pick<RecentChanges, "hasAny">;
  /** The users that are being erased. */
  readonly erased: ErasedUsers;
  /** Done to deleted messages that are found. */
  readonly erasures: Pick<Erasures, "erase">;
  /** Recognises duplicates. */
  readonly window: Pick<DeduplicationWindow, "hides">;
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** Limits how many pages are read at a time. */
  readonly opening: OpeningGate;
  /** For whom they are read: an address, or the room's name. */
  readonly key: string;
  /** Encodes messages for members of protocol 2. */
  readonly texts: MessageTexts;
  /** Called where the database was put back to an earlier state. */
  readonly onWentBack: () => void;
}

/**
 * Whether everything after a cursor is still kept.
 *
 * @param after What a member gave as its cursor; may be anything.
 * @param options Where to look.
 * @returns False where it is no cursor, is unknown, or has expired.
 * @throws Whatever the store rejects with; an error where the room could not read as far as that.
 */
export async function canRecover(after: string, options: RecoveryOptions): Promise<boolean> {
  const { room, log, opening, key } = options;
  if (!isCursor(after)) return false;
  // An isolate that was ahead of this one may have given it.
  if (after > room.cursor) await room.catchUp();
  const isKept = await opening.runPage(key, () => log.has(room.name, after));
  // It was not read just now, which is no reason to miss anything: the member comes back.
  if (isKept && after > room.cursor) throw new Error("The log could not be read so far");
  return isKept;
}

/**
 * Sends a member the next page of what it missed, once it has taken what it was sent before.
 *
 * @param subscription The member's subscription.
 * @param after The cursor that the member stands at.
 * @param source Where to read.
 * @returns The cursor that it stands at now.
 * @throws Whatever the store rejects with.
 */
export async function recoverPage(
  subscription: RoomSubscription,
  after: string,
  source: RecoveryOptions,
): Promise<string> {
  const { opening, key, onWentBack, texts } = source;
  await subscription.member.drained?.();
  let missed: Missed;
  try {
    missed = await opening.runPage(key, () => readMissed(after, source));
  } catch (error) {
    if (!(error instanceof PlaceLostError)) throw error;
    // The member leaves, and comes back.
    if (subscription.state !== "left") onWentBack();
    return after;
  }
  const { records, end } = missed;
  if (records.length > 0) {
    for (let wait; (wait = subscription.member.ready?.());) await wait;
    subscription.send(texts.batchOf(records));
  }
  return end;
}

/** A page of what a member missed. */
interface Missed {
  readonly records: readonly LogRecord[];
  /** The place up to which that is all. */
  readonly end: string;
}

/** Reads the next page of what a member missed. */
async function readMissed(
  after: string,
  { room, changes, erased, erasures, window, log }: RecoveryOptions,
): Promise<Missed> {
  const until = room.cursor;
  const options = { limit: PAGE, maxLength: PAGE_LENGTH, until, follows: !isOfChange(after) };
  const page = await log.after(room.name, after, options);
  const isPart = page.length >= PAGE || lengthOf(page) >= PAGE_LENGTH;
  // Where nothing is left of what was between, it has expired.
  const last = page.at(-1)?.cursor ?? until;
  const read = { after, until: isPart ? undefined : until, page };
  if (!changes.hasAny) {
    await checkHistory(log, room.name, read);
    return { records: page.filter((record) => !window.hides(record)), end: last };
  }
  const missed = await readMissedChanges(log, room.name, after, {
    limit: CHANGES_PAGE,
    maxLength: PAGE_LENGTH,
    until: isPart ? last : until,
    erased,
  });
  const shown = page.filter((record) => record.cursor <= missed.end && !window.hides(record));
  const folded = await foldPage(log, room.name, shown, {
    erased,
    onLeftovers: (message) => erasures.erase(message),
  });
  await checkHistory(log, room.name, read);
  return { records: merge(folded, missed.changes), end: missed.end };
}

/**
 * Makes sure that what was read belongs to the history of the room, and of the member: the database
 * may have been put back, and the room not know it yet.
 *
 * @throws {PlaceLostError} Where it does not.
 */
async function checkHistory(
  log: RoomLog,
  room: string,
  { after, until, page }: { after: string; until?: string; page: readonly LogRecord[] },
): Promise<void> {
  const newest = page.at(-1)?.cursor ?? after;
  const places = isOfChange(after) ? [after] : [];
  // Mostly the room's own place was read with the rest.
  if (until !== undefined && newest !== until) places.push(until, newest);
  for (const place of places) {
    if (await log.isLost(room, place)) throw new PlaceLostError(room, place);
  }
}
