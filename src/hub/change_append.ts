/**
 * Changes as they are appended to the log.
 *
 * @module
 */

import { changeLine, FIRST_USE, type StoredMessageChange, writesOf } from "../store/change.ts";
import type { ChangeWrites } from "../store/change_entry.ts";
import { cursorAt, tagOf } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import { changeRecord } from "../store/folded_record.ts";
import { hashRef, refHashText, refName } from "../store/ref_hash.ts";
import { NOT_FOUND } from "./change_rules.ts";
import type { ChangeCallback, ChangeResult } from "./publish_result.ts";
import type { AppendOwner, CommitAppend } from "./room_append.ts";

/** A change on its way into the log. */
export interface ChangeAppend extends CommitAppend {
  /** The change. */
  readonly change: StoredMessageChange;
  /** The hash of what was sent. */
  readonly hash: number;
  /** Called with the result: of its sender, and of who sent the same again meanwhile. */
  readonly answers: ChangeCallback[];
}

/**
 * Makes the append of a change.
 *
 * @param room The room.
 * @param change The change, as it is to be stored.
 * @param stamp What else is known of it.
 * @returns The append.
 */
export function composeChange(
  room: string,
  change: StoredMessageChange,
  { hash, isFirstUse, isPast, answer, pending }: {
    readonly hash: number;
    /** Whether nobody else reacts so. */
    readonly isFirstUse: boolean;
    /** Whether it comes from an export: nobody sends it again, and made twice it is the same. */
    readonly isPast?: boolean;
    readonly answer: ChangeCallback;
    readonly pending: AppendOwner;
  },
): ChangeAppend {
  const writes = isFirstUse ? withFirstUse(change) : writesOf(change);
  return {
    room,
    id: change.id,
    line: changeLine(change),
    // A commit takes few claims, and an import has a thousand reactions.
    writes: isPast ? writes : { ...writes, claim: { name: nameOf(change), hash } },
    change,
    hash,
    answers: [answer],
    pending,
  };
}

/**
 * Makes the record of a change whose commit is known.
 *
 * @param append The change.
 * @param at Where it was committed.
 * @returns The record.
 */
export function committedChange(
  { change }: ChangeAppend,
  { commit, index }: { readonly commit: string; readonly index: number },
): LogRecord {
  return changeRecord({ ...change, cursor: cursorAt(commit, index, tagOf(change.id)) });
}

/**
 * Makes the result of a change that is stored.
 *
 * @param record The change, as it came out of the log.
 * @param ref The sender's name for it.
 * @returns The result: a refusal of an edit that is erased, since the deletion came before it.
 */
export function storedResult(record: LogRecord, ref: string | undefined): ChangeResult {
  if (record.envelope !== "") return { status: "stored", change: record };
  return { status: "refused", problem: { ...NOT_FOUND, ref } };
}

/** Writes down the place of a first use as well: it may be taken back while others react so. */
function withFirstUse(change: StoredMessageChange): ChangeWrites {
  const { message, emoji = "" } = change;
  const writes = writesOf(change);
  return {
    ...writes,
    states: [...writes.states, { message, name: [FIRST_USE, emoji], value: "1" }],
  };
}

/** The name that only one change of the room may have. */
function nameOf({ id, user, ref }: StoredMessageChange): string {
  return ref === undefined ? id : refHashText(hashRef(refName(user, ref)));
}
