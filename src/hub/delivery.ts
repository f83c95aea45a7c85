/**
 * Delivery of stored messages to the members of a room.
 *
 * @module
 */

import type { ClusterMessage } from "../cluster/cluster_message.ts";
import { type ChangeRecord, type ControlRecord, deletesRoom } from "../store/change.ts";
import { ORIGIN } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { isTooMany } from "./change_rules.ts";
import type { ChangedMessages } from "./changed_messages.ts";
import type { DeduplicationWindow, FirstMessage } from "./deduplication_window.ts";
import type { Erasures } from "./erasures.ts";
import { type FlushTracker, lastInTime } from "./flush_tracker.ts";
import type { MessageTexts } from "./message_batch.ts";
import type { PendingChanges } from "./pending_changes.ts";
import type { PendingMessages } from "./pending_messages.ts";
import { erasedEdit } from "../store/folded_record.ts";
import { encodeRecord } from "./read_records.ts";
import type { RecentChanges } from "./recent_changes.ts";
import type { RecentMessages } from "./recent_messages.ts";
import type { CommitAppend, RoomAppend } from "./room_append.ts";
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
  /** The messages that changes are folded into. */
  readonly messages: ChangedMessages;
  /** The newest changes of the room. */
  readonly changes: RecentChanges;
  /** The changes of this isolate on their way. */
  readonly pendingChanges: PendingChanges;
  /** Done to deleted messages. */
  readonly erasures: Erasures;
  /** Called with each control record, in the log's order; tells if it is own. Must not throw. */
  readonly onControl: (control: ControlRecord) => boolean;
  /** Called when records were sent, up to a control record if there is one. Must not throw. */
  readonly onSent: () => void;
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

/** A message of this isolate that is in the log. */
interface Settled {
  readonly append: RoomAppend;
  /** What stands in the log. */
  readonly record: LogRecord;
  /** The message that it repeats, if it does. */
  readonly first: FirstMessage | undefined;
}

/** What some records of the log come to. */
interface Applied {
  /** Where the room stood before. */
  readonly prev: string;
  /** The records, duplicates included. */
  readonly records: readonly LogRecord[];
  /** Those to send. */
  readonly shown: LogRecord[];
  /** The messages of this isolate among them. */
  readonly settled: Settled[];
  /** By sender, whether all of its messages were sent on this isolate. */
  readonly senders: Map<string, boolean>;
  /** Duplicates that this isolate wrote, and those of others. */
  readonly duplicates: Duplicate[];
  readonly orphans: Duplicate[];
  /** The changes of this isolate among them. */
  readonly settledChanges: [CommitAppend, LogRecord][];
  /** Reactions of this isolate for which another one's left no room. */
  readonly late: CommitAppend[];
  /** How many control records of this isolate are among them. */
  ownControls: number;
  /** Messages that are to be erased, and whether this isolate changed them last. */
  readonly deleted: Map<string, boolean>;
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
  /** Whether the room was deleted: what follows belongs to a new room of that name. */
  #isOver = false;
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
    this.#sendingMs = 0;
    this.#options.holds.during(() => {
      // Who is put out by a control record gets nothing that stands behind it.
      let from = 0;
      records.forEach(({ change }, index) => {
        if (change?.kind !== "control") return;
        this.#deliver(records.slice(from, index + 1), options);
        from = index + 1;
      });
      if (from === 0) this.#deliver(records, options);
      else if (from < records.length) this.#deliver(records.slice(from), options);
    });
  }

  #deliver(records: readonly LogRecord[], options: { readonly announce: boolean }): void {
    const { erasures, onSent, pending, pendingChanges, tombstones } = this.#options;
    const applied = this.#apply(records);
    // The isolate that wrote tells the others; that the messages are stored is certain by now.
    const { settled, settledChanges, late, ownControls } = applied;
    const own = settled.length + settledChanges.length + late.length + ownControls;
    if (options.announce && own > 0) this.#announce(applied);
    const startedAt = performance.now();
    this.#send(applied);
    onSent();
    this.#sendingMs += performance.now() - startedAt;
    for (const { append, record, first } of applied.settled) {
      if (first) pending.settleDuplicate(append, first);
      else pending.settle(append, { status: "stored", record });
    }
    for (const [append, record] of applied.settledChanges) pendingChanges.settle(append, record);
    for (const append of applied.late) pendingChanges.takeBack(append);
    for (const [message, isOwn] of applied.deleted) {
      if (isOwn) erasures.erase(message);
      else erasures.eraseLater(message);
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
      settledChanges: [],
      late: [],
      ownControls: 0,
      deleted: new Map(),
    };
    const { shown, settled, senders, duplicates, orphans } = applied;
    for (const record of records) {
      if (record.cursor <= this.#cursor) continue;
      if (this.#isOver) {
        this.#passOver(record, applied);
        continue;
      }
      if (record.change) {
        this.#applyChange(record, record.change, applied);
        continue;
      }
      const first = window.push(record);
      recent.push(record, first === undefined);
      this.#cursor = record.cursor;
      const append = pending.take(record.id);
      if (append) settled.push({ append, record, first });
      if (!first) {
        shown.push(record);
        senders.set(record.user, append !== undefined && senders.get(record.user) !== false);
      } else if (!record.repeats) {
        (append ? duplicates : orphans).push({ record, first: first.cursor });
      }
    }
    return applied;
  }

  /** Shows nothing of what stands behind the room's deletion, and settles what this isolate wrote. */
  #passOver(record: LogRecord, { settled, settledChanges }: Applied): void {
    const { onControl, pending, pendingChanges } = this.#options;
    this.#cursor = record.cursor;
    if (record.change?.kind === "control") return void onControl(record.change);
    const message = record.change ? undefined : pending.take(record.id);
    const change = record.change && pendingChanges.take(record.id);
    if (message) settled.push({ append: message, record, first: undefined });
    if (change) settledChanges.push([change, record]);
  }

  #applyChange(stored: LogRecord, change: ChangeRecord, applied: Applied): void {
    const { changes, messages, metrics, onControl, pendingChanges } = this.#options;
    this.#cursor = stored.cursor;
    // An edit that another isolate made before it had seen the deletion is shown to nobody.
    const edited = change.kind === "edit" ? messages.find(change.message) : undefined;
    const isLate = edited?.isErased || edited?.state?.isDeleted;
    const record = isLate ? erasedEdit(stored) : stored;
    changes.push(record);
    const append = pendingChanges.take(record.id);
    if (append) metrics.changesStored++;
    if (change.kind === "control") {
      this.#isOver = deletesRoom(change);
      if (onControl(change)) applied.ownControls++;
      if (record.envelope !== "") applied.shown.push(record);
      return;
    }
    messages.apply(change);
    if (append && isTooMany(change, messages.find(change.message))) applied.late.push(append);
    else if (append) applied.settledChanges.push([append, record]);
    if (change.kind === "delete") changes.erase(change.message);
    if (change.kind === "delete" || isLate) {
      applied.deleted.set(change.message, append !== undefined);
    }
    // Nothing of it would be left to show.
    if (record.envelope !== "") applied.shown.push(record);
  }

  #announce({ prev, records, shown }: Applied): void {
    const { isolate: from, post, room } = this.#options;
    const size = shown.reduce((sum, { envelope }) => sum + envelope.length, 0);
    const isShort = records.length === shown.length && size <= CLUSTER_MESSAGE_LENGTH;
    const lines = isShort ? shown.map(encodeRecord) : [];
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
