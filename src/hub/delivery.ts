/**
 * Delivery of stored messages to the members of a room.
 *
 * @module
 */

import type { ClusterMessage } from "../cluster/cluster_message.ts";
import { ORIGIN } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { DeduplicationWindow, FirstMessage } from "./deduplication_window.ts";
import { type FlushTracker, lastInTime } from "./flush_tracker.ts";
import type { MessageTexts } from "./message_batch.ts";
import type { PendingMessages } from "./pending_messages.ts";
import type { RoomAppend } from "./room_append.ts";
import type { RecentMessages } from "./recent_messages.ts";
import type { RoomHolds } from "./room_holds.ts";
import type { Subscribers } from "./subscribers.ts";
import type { Duplicate, Tombstones } from "./tombstones.ts";
import type { TypingNotifier } from "./typing_notifier.ts";

/** UTF-16 code units in a cluster message; reading a longer piece from the log costs less. */
const CLUSTER_MESSAGE_LENGTH = 4_096;

/** How {@linkcode Delivery} behaves. */
export interface DeliveryOptions {
  /** The name of the room. */
  readonly room: string;
  /** The id of this isolate. */
  readonly isolate: string;
  /** The newest records of the room. */
  readonly recent: RecentMessages;
  /** Recognises duplicates. */
  readonly window: DeduplicationWindow;
  /** The messages of this isolate on their way. */
  readonly pending: PendingMessages;
  /** Encodes them for members of protocol 2. */
  readonly texts: MessageTexts;
  /** The members to deliver to. */
  readonly subscribers: Subscribers;
  /** Ended by messages. */
  readonly typing: TypingNotifier;
  /** Written over duplicates. */
  readonly tombstones: Tombstones;
  /** Learns what was sent last. */
  readonly flushes: FlushTracker;
  /** Keeps the room meanwhile. */
  readonly holds: RoomHolds;
  /** Sends a message to the other isolates. Must not throw. */
  readonly post: (message: ClusterMessage) => void;
  /** The hub's counters. */
  readonly metrics: Metrics;
}

/** What some records of the log come to. */
interface Applied {
  /** Where the room stood before. */
  readonly prev: string;
  /** The records, duplicates included. */
  readonly records: readonly LogRecord[];
  /** Those to send. */
  readonly shown: LogRecord[];
  /** The messages of this isolate among them, with their records, or with what they repeat. */
  readonly settled: [RoomAppend, { record: LogRecord } | { first: FirstMessage }][];
  /** By sender, whether all of its messages were sent on this isolate. */
  readonly senders: Map<string, boolean>;
  /** Duplicates that this isolate wrote, and those of others. */
  readonly duplicates: Duplicate[];
  readonly orphans: Duplicate[];
}

/**
 * Delivers records of the log, once each and in its order. First the state moves on as a whole: the
 * cursor, the recent messages, and what is no longer pending. Then come the effects: the other
 * isolates, the members, the answers, the tombstones, none of which can throw. So nothing that
 * fails leaves half of a delivery behind.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  #cursor = ORIGIN;
  #sendingMs = 0;

  /**
   * Starts at the beginning of the log.
   *
   * @param options Where records are delivered to.
   */
  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** The place up to which everything has been delivered. */
  get cursor(): string {
    return this.#cursor;
  }

  /** How many milliseconds the last delivery kept the processor. */
  get sendingMs(): number {
    return this.#sendingMs;
  }

  /**
   * Moves on without delivering, for what stands in the log before the room was opened.
   *
   * @param cursor The place where the room stands from now on.
   */
  skipTo(cursor: string): void {
    this.#cursor = cursor;
  }

  /**
   * Delivers records. Never throws.
   *
   * @param records The next records of the log; those that were delivered already are passed over.
   * @param options Whether the other isolates are told of what this one wrote among them.
   */
  deliver(records: readonly LogRecord[], options: { readonly announce: boolean }): void {
    this.#options.holds.during(() => this.#deliver(records, options));
  }

  #deliver(records: readonly LogRecord[], options: { readonly announce: boolean }): void {
    const { pending, tombstones } = this.#options;
    const applied = this.#apply(records);
    // The isolate that wrote tells the others; that the messages are stored is certain by now.
    if (options.announce && applied.settled.length > 0) this.#announce(applied);
    const startedAt = performance.now();
    this.#send(applied);
    this.#sendingMs = performance.now() - startedAt;
    for (const [append, result] of applied.settled) {
      if ("record" in result) pending.settle(append, { status: "stored", ...result });
      else pending.settleDuplicate(append, result.first);
    }
    tombstones.write(applied.duplicates);
    for (const orphan of applied.orphans) tombstones.writeLater(orphan);
  }

  /** Moves the state on, and says what is to be done about it. */
  #apply(records: readonly LogRecord[]): Applied {
    const { recent, pending, window } = this.#options;
    const applied: Applied = {
      prev: this.#cursor,
      records,
      shown: [],
      settled: [],
      senders: new Map(),
      duplicates: [],
      orphans: [],
    };
    const { shown, settled, senders, duplicates, orphans } = applied;
    for (const record of records) {
      if (record.cursor <= this.#cursor) continue;
      const first = window.push(record);
      recent.push(record, first === undefined);
      this.#cursor = record.cursor;
      const append = pending.take(record.id);
      if (append) {
        settled.push([append, first ? { first } : { record }]);
      }
      if (!first) {
        shown.push(record);
        senders.set(record.user, append !== undefined && senders.get(record.user) !== false);
      } else if (!record.repeats) {
        (append ? duplicates : orphans).push({ record, first: first.cursor });
      }
    }
    return applied;
  }

  #announce({ prev, records, shown }: Applied): void {
    const { isolate: from, post, room } = this.#options;
    const size = shown.reduce((sum, { envelope }) => sum + envelope.length, 0);
    const isShort = records.length === shown.length && size <= CLUSTER_MESSAGE_LENGTH;
    const lines = isShort ? shown.map(({ envelope }) => envelope) : [];
    const hashes = isShort ? records.map(({ hash }) => hash ?? null) : [];
    post({ kind: "messages", from, room, prev, cursor: this.#cursor, lines, hashes });
  }

  #send({ shown, senders }: Applied): void {
    const { flushes, metrics, subscribers, texts, typing } = this.#options;
    for (const [user, isLocal] of senders) typing.endByMessage(user, isLocal);
    if (shown.length === 0) return;
    const last = lastInTime(subscribers.all());
    const batch = texts.batchOf(shown, { forMany: true });
    metrics.messagesDelivered += shown.length * subscribers.send(batch);
    flushes.sent(last);
  }
}
