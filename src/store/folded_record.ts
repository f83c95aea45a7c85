/**
 * Records as members get them: changes as envelopes, and messages as they are now.
 *
 * @module
 */

import type { Message, MessageChange } from "../protocol/mod.ts";
import { type ChangeRecord, erasedUserOf, type MessageChangeRecord } from "./change.ts";
import { erasedRecord, type LogRecord, messageText } from "./entry.ts";
import type { MessageState } from "./message_state.ts";

/**
 * Makes the record of a change.
 *
 * @param change The change.
 * @returns The record, whose envelope is that of protocol 1; empty for what no member gets.
 */
export function changeRecord(change: ChangeRecord): LogRecord {
  const { cursor, id, user, at, ref } = change;
  const envelope = envelopeOf(change);
  return { cursor, id, user, ref, hash: change.h, sentAt: timeOf(at), envelope, change };
}

function envelopeOf(change: ChangeRecord): string {
  if (change.kind === "control") {
    const user = erasedUserOf(change);
    return user === undefined ? "" : `{"type":"user_erased","payload":${JSON.stringify({ user })}}`;
  }
  if (isErasedEdit(change)) return "";
  return `{"type":"message_changed","payload":${JSON.stringify(payloadOf(change))}}`;
}

/**
 * Makes what members get of a change.
 *
 * @param change The change.
 * @param own Whether it is for its sender, who gets the `ref`. @default {false}
 * @returns The payload of `message_changed`.
 */
export function payloadOf(change: MessageChangeRecord, own = false): MessageChange {
  const { cursor, message, kind, user, at, text, data, emoji, status, ref } = change;
  return { cursor, message, kind, user, at, text, data, emoji, status, ref: own ? ref : undefined };
}

/**
 * Whether an edit says nothing any more, since its message was deleted.
 *
 * @param change A change.
 * @returns True if so: the deletion comes by itself.
 */
export function isErasedEdit(change: ChangeRecord): boolean {
  return change.kind === "edit" && change.text === undefined && change.data === undefined;
}

/**
 * Makes what is left of an edit whose message was deleted.
 *
 * @param record The edit.
 * @returns A record that says nothing of what it said. Its envelope is empty.
 */
export function erasedEdit(record: LogRecord): LogRecord {
  if (record.change?.kind !== "edit") return record;
  const { text: _text, data: _data, ...change } = record.change;
  return { ...record, envelope: "", change };
}

/**
 * Folds what became of a message into its record.
 *
 * @param room The room.
 * @param record The message as it was stored.
 * @param state What became of it.
 * @returns The record as it is now; its envelope is made when it is read.
 */
export function foldRecord(room: string, record: LogRecord, state: MessageState): LogRecord {
  const kept = state.isDeleted && !record.isErased ? erasedRecord(room, record) : record;
  return new FoldedRecord(kept, state);
}

/**
 * The message in a record, as it is now, with all that there is of it.
 *
 * @param record A record of a message.
 * @returns The message, with every user of its reactions; without `text` where it was deleted.
 */
export function wholeMessageOf(record: LogRecord): Omit<Message, "text"> & Partial<Message> {
  const { state } = record;
  const { text, ...rest } = JSON.parse(messageText(record)) as Message;
  if (rest.deleted) return rest;
  const reactions = state && state.reactionCount > 0 && state.reactions(undefined, true);
  return { ...rest, text, ...(reactions && { reactions }) };
}

/**
 * The message in a record, as it is now.
 *
 * @param record A record of a message.
 * @param viewer The user who reads it. @default {undefined} nobody's reactions are marked
 * @returns The message in the form of protocol 1.
 */
export function messageOf(record: LogRecord, viewer?: string): Message {
  const message = JSON.parse(messageText(record)) as Message;
  const { state } = record;
  if (!state || viewer === undefined || state.reactionCount === 0) return message;
  return { ...message, reactions: state.reactions(viewer) };
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}

/** A message whose envelope is encoded when somebody reads it: a thousand reactions take a while. */
class FoldedRecord implements LogRecord {
  readonly cursor: string;
  readonly id: string;
  readonly user: string;
  readonly ref?: string;
  readonly hash?: number;
  readonly sentAt: string;
  readonly repeats?: string;
  readonly isErased?: true;
  readonly refHash?: LogRecord["refHash"];
  readonly state: MessageState;
  readonly #base: LogRecord;
  #envelope: string | undefined;

  constructor(base: LogRecord, state: MessageState) {
    this.cursor = base.cursor;
    this.id = base.id;
    this.user = base.user;
    this.ref = base.ref;
    this.hash = base.hash;
    this.sentAt = base.sentAt;
    this.repeats = base.repeats;
    this.isErased = base.isErased;
    this.refHash = base.refHash;
    this.#base = base;
    this.state = state;
  }

  get envelope(): string {
    return this.#envelope ??= this.#encode();
  }

  #encode(): string {
    const { text, data, editedAt, changed, isDeleted, reactionCount } = this.state;
    const before = JSON.parse(messageText(this.#base)) as Message;
    const payload: Message = {
      ...before,
      ...(text !== undefined && { text }),
      ...(data !== undefined && { data: data ?? undefined }),
      ...(editedAt !== undefined && { edited_at: new Date(editedAt).toISOString() }),
      ...(isDeleted && { deleted: true }),
      ...(reactionCount > 0 && { reactions: this.state.reactions() }),
      changed,
    };
    return `{"type":"chat_message","payload":${JSON.stringify(payload)}}`;
  }
}
