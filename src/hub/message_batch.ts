/**
 * Stored messages as envelopes, in both protocols.
 *
 * @module
 */

import { encodeEnvelope, type Message, type MessageV2 } from "../protocol/mod.ts";
import { erasedUserOf } from "../store/change.ts";
import { type LogRecord, messageText } from "../store/entry.ts";
import { messageOf, payloadOf } from "../store/folded_record.ts";
import { EnvelopeBatch, type EnvelopesV2 } from "./envelope_batch.ts";

/** The texts of protocol 2 by record: each is encoded once, as long as the record is in memory. */
export class MessageTexts {
  readonly #room: string;
  readonly #texts = new WeakMap<LogRecord, string>();

  /** @param room The name of the room. */
  constructor(room: string) {
    this.#room = room;
  }

  /**
   * Encodes a message for those who did not send it.
   *
   * @param record A record that is no tombstone.
   * @returns The envelope of protocol 2, without `ref`.
   */
  encode(record: LogRecord): string {
    let text = this.#texts.get(record);
    if (text === undefined) this.#texts.set(record, text = this.#encode(record));
    return text;
  }

  /**
   * Encodes a message or a change for a user to whom it says more than to others.
   *
   * @param record A record that is no tombstone.
   * @param user The user.
   * @returns The envelope of protocol 2: with `ref` where it is the user's own and has one, and with
   * the user's reactions marked.
   */
  encodeFor(record: LogRecord, user: string): string {
    const { state } = record;
    const text = state?.reactionCount ? encodeFolded(record, user) : this.encode(record);
    if (record.ref === undefined || record.user !== user) return text;
    return `${text.slice(0, -2)},"ref":${JSON.stringify(record.ref)}}}`;
  }

  /**
   * Makes a batch of messages.
   *
   * @param records Records that are no tombstones, in the log's order.
   * @param options Whether a whole room gets it, and an envelope that comes after them.
   * @returns The batch; protocol 2 is encoded where a member reads it.
   */
  batchOf(
    records: readonly LogRecord[],
    options: { readonly forMany?: boolean; readonly last?: LastEnvelope } = {},
  ): EnvelopeBatch {
    const { forMany, last } = options;
    return new EnvelopeBatch(() => {
      const envelopes = records.map(({ envelope }) => envelope);
      if (last) envelopes.push(last.encode());
      return envelopes;
    }, { forMany, v2: this.#v2Of(records, last) });
  }

  #encode(record: LogRecord): string {
    const { change } = record;
    if (!change) return record.state || record.isErased ? encodeFolded(record) : encodeV2(record);
    const room = this.#room;
    if (change.kind !== "control") {
      return encodeEnvelope({ type: "message_changed", room, payload: payloadOf(change) });
    }
    const user = erasedUserOf(change);
    if (user === undefined) throw new TypeError("This control record is sent to nobody");
    return encodeEnvelope({ type: "user_erased", room, payload: { user } });
  }

  #v2Of(records: readonly LogRecord[], last: LastEnvelope | undefined): EnvelopesV2 {
    let senders: Set<string> | undefined;
    const hasReactions = records.some(({ state }) => state?.reactionCount);
    const withLast = (texts: string[]) => {
      if (last) texts.push(last.encodeV2());
      return texts;
    };
    return {
      encode: () => withLast(records.map((record) => this.encode(record))),
      encodeFor: (user) => {
        // Most members are sent what is the same for all.
        senders ??= new Set(records.filter(({ ref }) => ref !== undefined).map(({ user }) => user));
        if (!senders.has(user) && !hasReactions) return undefined;
        return withLast(records.map((record) => this.encodeFor(record, user)));
      },
    };
  }
}

/** Encodes a message that was changed. */
function encodeFolded(record: LogRecord, viewer?: string): string {
  const { cursor, user, text, sent_at, edited_at, room, id: _, ref: _ref, ...more } = messageOf(
    record,
    viewer,
  );
  const payload: MessageV2 = {
    cursor,
    user,
    ...(!more.deleted && { text }),
    at: Date.parse(sent_at),
    ...more,
    ...(edited_at !== undefined && { edited_at: Date.parse(edited_at) }),
  };
  return encodeEnvelope({ type: "chat_message", room, payload });
}

/** An envelope that comes after messages, in both protocols. */
export interface LastEnvelope {
  /** Encodes it in protocol 1. */
  encode(): string;
  /** Encodes it in protocol 2. */
  encodeV2(): string;
}

function encodeV2(record: LogRecord): string {
  const { cursor, user, sentAt } = record;
  const { room, text, name, data, reply_to } = JSON.parse(messageText(record)) as Message;
  const more = (name === undefined ? "" : `,"name":${JSON.stringify(name)}`) +
    (data === undefined ? "" : `,"data":${JSON.stringify(data)}`) +
    (reply_to === undefined ? "" : `,"reply_to":"${reply_to}"`);
  // The name of a room and a cursor need no escapes.
  return `{"type":"chat_message","room":"${room}","payload":{"cursor":"${cursor}","user":${
    JSON.stringify(user)
  },"text":${JSON.stringify(text)},"at":${Date.parse(sentAt)}${more}}}`;
}
