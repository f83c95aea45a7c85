/**
 * Recovery of what a member missed and is no longer in memory.
 *
 * @module
 */

import { isCursor } from "../store/cursor.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { MessageTexts } from "./message_batch.ts";
import { PAGE_LENGTH } from "./message_page.ts";
import type { DeduplicationWindow } from "./deduplication_window.ts";
import type { OpeningGate } from "./opening_gate.ts";
import type { RecentMessages } from "./recent_messages.ts";
import type { RoomSubscription } from "./subscription.ts";

/** Records in a page: the member must have taken one before the next is read. */
const PAGE = 100;

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
  const { room, window, log, opening, key, texts } = source;
  await subscription.member.drained?.();
  const options = { limit: PAGE, maxLength: PAGE_LENGTH, until: room.cursor };
  const page = await opening.runPage(key, () => log.after(room.name, after, options));
  // Nothing is left of what was between: it has expired.
  if (page.length === 0) return room.cursor;
  const shown = page.filter((record) => !window.hides(record));
  if (shown.length > 0) {
    for (let wait; (wait = subscription.member.ready?.());) await wait;
    subscription.send(texts.batchOf(shown));
  }
  return page[page.length - 1].cursor;
}
