/**
 * What a store writes with changes, and what it gives back of them.
 *
 * @module
 */

/**
 * A write of a state. The last one of a name, in the order of the log, is the state; its place is
 * that of the change.
 */
export interface StateWrite {
  /** The cursor of the message that it belongs to; undefined for the room. */
  readonly message?: string;
  /** The name, in parts without control characters, at least one. */
  readonly name: readonly string[];
  /** JSON text; null takes the state away. */
  readonly value: string | null;
}

/** What a store writes with a change, in the same commit. */
export interface ChangeWrites {
  /** The change's unique id. */
  readonly id: string;
  /** The states that it sets. */
  readonly states: readonly StateWrite[];
  /** The message that it edits: the store has to find all edits of a message. */
  readonly edits?: string;
  /** The message that it deletes: the store has to know until that is erased. */
  readonly deletes?: string;
  /** Whether it deletes the room: the log counts from it on, and nothing before it is read. */
  readonly clears?: true;
  /** The user whose earlier messages and reactions it erases. */
  readonly erases?: string;
  /** The name that it claims: where another change has it, the commit is refused. */
  readonly claim?: ChangeClaim;
}

/** A name that one change of a room has, for 2 minutes at least. */
export interface ChangeClaim {
  /** Letters and digits. */
  readonly name: string;
  /** 32 bits of a hash of what its sender sent. */
  readonly hash: number;
}

/** The changes that one room gets in one commit. */
export interface ChangeEntry {
  /** JSON lines in UTF-8, one for each change. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What is written with each of them. */
  readonly changes: readonly ChangeWrites[];
}

/** A state as it is now. */
export interface StateItem {
  /** The name, in parts. */
  readonly name: readonly string[];
  /** JSON text. */
  readonly value: string;
  /** The place of the change that set it. */
  readonly cursor: string;
}
