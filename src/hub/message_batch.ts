/**
 * Stored messages as envelopes, in both protocols.
 *
 * @module
 */

import type { Message } from "../protocol/mod.ts";
import { type LogRecord, messageText } from "../store/entry.ts";
import { EnvelopeBatch, type EnvelopesV2 } from "./envelope_batch.ts";

/** The texts of protocol 2 by record: each is encoded once, as long as the record is in memory. */
export class MessageTexts {
  readonly #texts = new WeakMap<LogRecord, string>();

  /**
   * Encodes a message for those who did not send it.
   *
   * @param record A record that is no tombstone.
   * @returns The envelope of protocol 2, without `ref`.
   */
  encode(record: LogRecord): string {
    let text = this.#texts.get(record);
    if (text === undefined) this.#texts.set(record, text = encodeV2(record));
    return text;
  }

  /**
   * Encodes a message for its sender.
   *
   * @param record A record that is no tombstone.
   * @returns The envelope of protocol 2, with `ref` where the message has one.
   */
  encodeOwn(record: LogRecord): string {
    const text = this.encode(record);
    if (record.ref === undefined) return text;
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

  #v2Of(records: readonly LogRecord[], last: LastEnvelope | undefined): EnvelopesV2 {
    let senders: Set<string> | undefined;
    const withLast = (texts: string[]) => {
      if (last) texts.push(last.encodeV2());
      return texts;
    };
    return {
      encode: () => withLast(records.map((record) => this.encode(record))),
      encodeFor: (user) => {
        // Most members are sent what is the same for all.
        senders ??= new Set(records.filter(({ ref }) => ref !== undefined).map(({ user }) => user));
        if (!senders.has(user)) return undefined;
        return withLast(records.map((record) => {
          return record.user === user ? this.encodeOwn(record) : this.encode(record);
        }));
      },
    };
  }
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
