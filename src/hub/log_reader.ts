/**
 * Reading of a room's log.
 *
 * @module
 */

import type { MessagesDelivered } from "../cluster/cluster_message.ts";
import { DEDUPLICATION_WINDOW } from "../protocol/mod.ts";
import { ORIGIN } from "../store/cursor.ts";
import { StoreTimeoutError } from "../store/deadline.ts";
import { decodeRecord, type LogRecord } from "../store/entry.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { CatchUp } from "./catch_up.ts";
import type { Delivery } from "./delivery.ts";
import type { FlushTracker } from "./flush_tracker.ts";
import type { RecentMessages } from "./recent_messages.ts";
import type { RoomHolds } from "./room_holds.ts";
import type { Duplicate, Tombstones } from "./tombstones.ts";

/** Records that one step of a catch-up reads, and UTF-16 code units: they go out in one batch. */
const PAGE = 400;
const PAGE_LENGTH = 256 * 1024;
/** Milliseconds that a commit of this isolate gets to bring other isolates' messages along. */
const OWN_COMMIT_MS = 10;

/** How {@linkcode LogReader} behaves. */
export interface LogReaderOptions {
  /** The name of the room. */
  readonly room: string;
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** The newest records of the room: filled on opening. */
  readonly recent: RecentMessages;
  /** Delivers what is read. */
  readonly delivery: Delivery;
  /** Written over duplicates that are found on opening. */
  readonly tombstones: Tombstones;
  /** Whether what members were sent last is still on its way. */
  readonly flushes: FlushTracker;
  /** Keeps the room while its log is read. */
  readonly holds: RoomHolds;
  /** Whether messages of this isolate are on their way, whose commit will read the log too. */
  readonly hasPending: () => boolean;
  /** Receives operational events. Must not throw. */
  readonly logger: Logger;
  /** The hub's counters. */
  readonly metrics: Metrics;
}

/**
 * Reads the log of a room: the recent messages when it is opened, and from then on whatever other
 * isolates append, unless they send it.
 */
export class LogReader {
  readonly #options: LogReaderOptions;
  readonly #catchUp: CatchUp;
  #isOpen = false;
  #opening: Promise<void> | undefined;
  #isStopped = false;
  #readsLater = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isUncertain = false;
  /** Commits that were not answered in time and may land at any moment. */
  #unsettled = 0;

  /**
   * Starts with nothing read.
   *
   * @param options The log, and what is done with what is read.
   */
  constructor(options: LogReaderOptions) {
    this.#options = options;
    this.#catchUp = new CatchUp({
      step: () => this.#readPage(),
      onFailure: (error) => this.#fail(error),
      holds: options.holds,
    });
  }

  /** Whether the recent messages have been read. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether the recent messages have been read, or are being read. */
  get isInUse(): boolean {
    return this.#isOpen || this.#opening !== undefined;
  }

  /** Whether the log must be read before anything else may be delivered. */
  get mustRead(): boolean {
    return !this.#isOpen || this.#isUncertain || this.#unsettled > 0 || this.#catchUp.isRunning;
  }

  /**
   * Reads the recent messages, once.
   *
   * @returns Undefined where that has been done.
   * @throws Whatever the store rejects with; a later call tries again.
   */
  open(): Promise<void> | undefined {
    if (this.#isOpen) return undefined;
    return this.#opening ??= this.#readRecent().finally(() => this.#opening = undefined);
  }

  /**
   * Reads the log from where the room stands, and delivers it. Calls that come while one is at work
   * are served by one more read.
   *
   * @returns Settles when the room stands where the log ended at the call. Never rejects: where the
   * log cannot be read, that is tried again later.
   */
  catchUp(): Promise<void> {
    return this.#catchUp.run();
  }

  /**
   * Reads the log before anything is delivered: what a failed commit wrote may be stored.
   *
   * @param error Why it failed: after a timeout it may still land until the store says otherwise.
   */
  distrust(error: unknown): void {
    this.#isUncertain = true;
    if (!(error instanceof StoreTimeoutError)) return;
    this.#unsettled++;
    void error.settled.then(() => {
      this.#unsettled--;
      if (!this.#isStopped && this.#isOpen) void this.catchUp();
    });
  }

  /**
   * Receives what another isolate delivered: where it follows on what was delivered here, it is
   * delivered as it came; where something is missing before it, the log is read.
   *
   * @param message The message of the other isolate.
   */
  receive({ prev, cursor, lines, hashes }: MessagesDelivered): void {
    if (!this.#isOpen) {
      if (this.#opening) void this.catchUp();
      return;
    }
    const { delivery, flushes, metrics } = this.#options;
    if (cursor <= delivery.cursor) return;
    if (flushes.isBusy) return this.#readLater();
    if (!this.#catchUp.isRunning) {
      const records = prev === delivery.cursor ? decodeLines(lines, hashes) : [];
      if (records.at(-1)?.cursor === cursor) return delivery.deliver(records, { announce: false });
      if (prev > delivery.cursor) metrics.clusterMessagesLost++;
    }
    void this.catchUp();
  }

  /** Stops reading for good. */
  stop(): void {
    this.#isStopped = true;
    this.#catchUp.stop();
    clearTimeout(this.#timer);
  }

  /**
   * Reads the log when what is being sent has gone out: what others and this isolate store in the
   * meantime goes out together.
   */
  #readLater(): void {
    if (this.#readsLater) return;
    this.#readsLater = true;
    const read = () => {
      this.#readsLater = false;
      if (!this.#isStopped) void this.catchUp();
    };
    void this.#options.flushes.drained().then(() => {
      if (this.#isStopped || !this.#options.hasPending()) return read();
      // A commit of this isolate that is on its way will read the log too.
      this.#timer = setTimeout(read, OWN_COMMIT_MS);
    });
  }

  async #readRecent(): Promise<void> {
    const { room, log, recent, delivery, tombstones, holds } = this.#options;
    using _hold = holds.take();
    // Twice the window, so that duplicates of what is dropped from it are recognised.
    const options = { limit: 2 * DEDUPLICATION_WINDOW };
    let records = await log.last(room, options);
    const head = records.length > 0 ? ORIGIN : await log.head(room);
    // What was appended between the two reads must be among the recent messages.
    if (head !== ORIGIN) records = await log.last(room, options);
    const duplicates: Duplicate[] = [];
    for (const record of records) {
      const first = recent.push(record);
      if (first && !record.repeats) duplicates.push({ record, first: first.cursor });
      delivery.skipTo(record.cursor);
    }
    // The isolate that wrote them did not live to write their tombstones.
    tombstones.write(duplicates);
    if (recent.size === 0) delivery.skipTo(head);
    this.#isOpen = true;
    void log.sweep(room);
  }

  async #readPage(): Promise<boolean> {
    await this.open();
    const { room, log, delivery, metrics } = this.#options;
    this.#isUncertain = false;
    metrics.catchUps++;
    const records = await log.after(room, delivery.cursor, { limit: PAGE, maxLength: PAGE_LENGTH });
    if (records.length > 0) delivery.deliver(records, { announce: true });
    return records.length === PAGE || lengthOf(records) >= PAGE_LENGTH;
  }

  #fail(error: unknown): void {
    const { room, logger, metrics } = this.#options;
    this.#isUncertain = true;
    metrics.readFailures++;
    logger("error", "catch_up_failed", { room, error });
  }
}

function lengthOf(records: readonly LogRecord[]): number {
  return records.reduce((sum, { envelope }) => sum + envelope.length, 0);
}

function decodeLines(
  lines: readonly string[],
  hashes: readonly (number | null)[] = [],
): LogRecord[] {
  try {
    return lines.map((line, index) => decodeRecord(line, hashes[index] ?? undefined));
  } catch {
    return []; // Then the log is read, as if they had been left out.
  }
}
