/**
 * Changes in a log: records about earlier messages, and about the room itself.
 *
 * A commit's changes stand behind its messages. Their indexes begin at {@linkcode CHANGES_FROM}, so a
 * cursor tells which of the two it names.
 *
 * @module
 */

import type { ChangeKind, JsonObject } from "../protocol/mod.ts";
import type { ChangeWrites, StateWrite } from "./change_entry.ts";
import { CHANGES_FROM, cursorAt, tagOf } from "./cursor.ts";
import { type EntryLine, entryLine, userMember } from "./entry_line.ts";

/** What is stored of any change; its cursor is given by the commit. */
export interface StoredBase {
  /** Unique id (ULID). */
  readonly id: string;
  /** The user that made it. */
  readonly user: string;
  /** When the server received it, in milliseconds since the epoch. */
  readonly at: number;
  /** The sender's own name for it. */
  readonly ref?: string;
  /** 32 bits of a hash of what its sender sent, where it has a `ref`. */
  readonly h?: number;
}

/** What is stored of a change of a message. */
export interface StoredMessageChange extends StoredBase {
  /** What it does. */
  readonly kind: ChangeKind;
  /** The cursor of the message. */
  readonly message: string;
  /** An edit's new text; missing where it stays, and where the message was deleted since. */
  readonly text?: string;
  /** An edit's new data, null where it is taken away; missing as `text` is. */
  readonly data?: JsonObject | null;
  /** What a reaction shows. */
  readonly emoji?: string;
  /** Whether the user reacts so from now on. */
  readonly status?: boolean;
}

/**
 * What is stored of a control record, which says what holds in the room from its place on, such as
 * that somebody is muted. No member is sent it.
 */
export interface StoredControl extends StoredBase {
  /** Which kind of record this is. */
  readonly kind: "control";
  /** The name of the state that it sets: the room has one value of each name. */
  readonly name: string;
  /** The value; null takes the state away. */
  readonly value: JsonObject | null;
}

/** The name of the control record that deletes its room. */
export const ROOM_DELETED = "room_deleted";

/** The name of the control record that erases a user, whose name is in its value. */
export const USER_ERASED = "user_erased";

/** What is stored of a change. */
export type StoredChange = StoredMessageChange | StoredControl;

/** A change of a message, at its place. */
export type MessageChangeRecord = StoredMessageChange & { readonly cursor: string };

/** A control record, at its place. */
export type ControlRecord = StoredControl & { readonly cursor: string };

/** A change, at its place. */
export type ChangeRecord = MessageChangeRecord | ControlRecord;

/** The state whose place is that of a message's last change. */
export const CHANGED = "changed";

/** The state of a kind of reactions whose place is that of its first use. */
export const FIRST_USE = "kind";

/**
 * Writes a change as a line of an entry.
 *
 * @param change The change.
 * @returns The line.
 */
export function changeLine(change: StoredChange): EntryLine {
  return entryLine(JSON.stringify(change));
}

/**
 * Says what is written with a change.
 *
 * @param change The change.
 * @returns The states that it sets, and what it does to messages.
 *
 * @example
 * ```ts
 * import { writesOf } from "./change.ts";
 *
 * const writes = writesOf({
 *   id: "01…",
 *   user: "ann",
 *   at: 0,
 *   kind: "reaction",
 *   message: "0".repeat(20),
 *   emoji: "👍",
 *   status: true,
 * });
 * console.log(writes.states.map(({ name }) => name.join(" "))); // ["changed", "reaction 👍 ann"]
 * ```
 */
export function writesOf(change: StoredChange): ChangeWrites {
  const { id } = change;
  if (change.kind === "control") {
    const { name, value } = change;
    if (name === ROOM_DELETED) return { id, states: [], clears: true };
    const erased = erasedUserOf(change);
    if (erased !== undefined) return { id, states: [], erases: erased };
    return { id, states: [{ name: [name], value: value && JSON.stringify(value) }] };
  }
  const { at, user, message, kind, text, data, emoji = "", status } = change;
  const states: StateWrite[] = [{ message, name: [CHANGED], value: "1" }];
  switch (kind) {
    case "edit": {
      // Each by itself, so that edits of one do not undo those of the other.
      if (text !== undefined) {
        states.push({ message, name: ["text"], value: JSON.stringify({ at, text }) });
      }
      if (data !== undefined) {
        states.push({ message, name: ["data"], value: JSON.stringify({ at, data }) });
      }
      return { id, states, edits: message };
    }
    case "delete":
      states.push({ message, name: ["deleted"], value: JSON.stringify({ at, user }) });
      return { id, states, deletes: message };
    case "reaction":
      states.push({ message, name: ["reaction", emoji, user], value: status ? "1" : null });
      return { id, states };
  }
}

/**
 * Tells whether a change deletes its room: then nothing before it counts.
 *
 * @param change The change.
 * @returns True if so.
 */
export function deletesRoom(change: StoredChange): boolean {
  return change.kind === "control" && change.name === ROOM_DELETED;
}

/**
 * Tells whom a change erases.
 *
 * @param change The change.
 * @returns The user whose earlier messages and reactions are gone; undefined where it is another change.
 */
export function erasedUserOf(change: StoredChange): string | undefined {
  if (change.kind !== "control" || change.name !== USER_ERASED) return undefined;
  const user = change.value?.user;
  return typeof user === "string" ? user : undefined;
}

/**
 * Reads the changes of a commit. A line that is none is passed over; the others keep their places.
 *
 * @param text The lines, decoded from UTF-8.
 * @param commit The commit.
 * @param onDamaged Called with the index of each line that was passed over.
 * @returns The changes, in order.
 */
export function decodeChanges(
  text: string,
  commit: string,
  onDamaged: (index: number) => void,
): ChangeRecord[] {
  const records: ChangeRecord[] = [];
  text.split("\n").forEach((line, position) => {
    const index = CHANGES_FROM + position;
    const stored = parseChange(line);
    if (stored) records.push({ cursor: cursorAt(commit, index, tagOf(stored.id)), ...stored });
    else onDamaged(index);
  });
  return records;
}

/**
 * Takes what edits of a message said out of the changes of a commit. The edits keep their places.
 *
 * @param text The lines, decoded from UTF-8.
 * @param message The cursor of the message.
 * @returns The lines without it.
 */
export function eraseEdits(text: string, message: string): string {
  return text.split("\n").map((line) => {
    const stored = parseChange(line);
    if (stored?.kind !== "edit" || stored.message !== message) return line;
    const { text: _text, data: _data, ref: _ref, h: _h, ...rest } = stored;
    return JSON.stringify(rest);
  }).join("\n");
}

/**
 * Finds the reactions of a user among the changes of a commit.
 *
 * @param text The lines, decoded from UTF-8.
 * @param user The user.
 * @returns The reactions, by their places in the text.
 */
export function reactionsOf(text: string, user: string): Map<number, StoredMessageChange> {
  const found = new Map<number, StoredMessageChange>();
  const member = userMember(user);
  if (!text.includes(member)) return found;
  text.split("\n").forEach((line, position) => {
    const stored = line.includes(member) ? parseChange(line) : undefined;
    if (stored?.kind === "reaction" && stored.user === user) found.set(position, stored);
  });
  return found;
}

/**
 * Takes changes out of the changes of a commit. The others keep their places.
 *
 * @param text The lines, decoded from UTF-8.
 * @param isIt Tells which, by their places in the text.
 * @returns The lines, in which they are edits that say nothing.
 */
export function eraseChanges(text: string, isIt: (position: number) => boolean): string {
  return text.split("\n").map((line, position) => {
    const stored = isIt(position) ? parseChange(line) : undefined;
    if (!stored) return line;
    const { id, user, at } = stored;
    if (stored.kind === "control") {
      const control: StoredControl = { id, user, at, kind: "control", name: "erased", value: null };
      return JSON.stringify(control);
    }
    const change: StoredMessageChange = { id, user, at, kind: "edit", message: stored.message };
    return JSON.stringify(change);
  }).join("\n");
}

function parseChange(line: string): StoredChange | undefined {
  let stored: StoredChange;
  try {
    stored = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof stored !== "object" || stored === null) return undefined;
  const { id, user, at, kind } = stored;
  if (typeof id !== "string" || typeof user !== "string" || typeof at !== "number") {
    return undefined;
  }
  if (kind === "control") return typeof stored.name === "string" ? stored : undefined;
  const isKnown = kind === "edit" || kind === "delete" || kind === "reaction";
  return isKnown && typeof stored.message === "string" ? stored : undefined;
}
