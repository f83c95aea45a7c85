/**
 * Reading of a room's log.
 *
 * @module
 */

import type { MessagesDelivered } from "../cluster/cluster_message.ts";
import { StoreTimeoutError } from "../store/deadline.ts";
import type { LogRecord } from "../store/entry.ts";
import { PlaceLostError } from "../store/place_lost.ts";
import { CatchUp } from "./catch_up.ts";
import { DeduplicationWindow } from "./deduplication_window.ts";
import type { LogReaderOptions } from "./log_reader_options.ts";
import { readOn, readOpening } from "./read_on.ts";
import { decodeLines, lengthOf } from "./read_records.ts";
import type { Duplicate } from "./tombstones.ts";
import { WindowReach } from "./window_reach.ts";

/** Records that one step of a catch-up reads, and UTF-16 code units: they go out in one batch. */
const PAGE = 400;
const PAGE_LENGTH = 256 * 1024;
/** The same when a room is opened: the last 10 messages are in it however long they are. */
const RECENT = 256;
const RECENT_LENGTH = 704 * 1024;
/** The same where the deduplication window is read back. */
const WINDOW_PAGE_LENGTH = 256 * 1024;
/** Messages of another isolate that are sent as they come: more fill frames with those of this one. */
const FEW = 8;
/** Milliseconds that a commit of this isolate gets to bring other isolates' messages along. */
const OWN_COMMIT_MS = 10;

/**
 * Reads the log of a room: the recent messages when it is opened, and from then on whatever other
 * isolates append, unless they send it.
 */
export class LogReader {
  readonly #options: LogReaderOptions;
  readonly #catchUp: CatchUp;
  #isOpen = false;
  #opening: Promise<void> | undefined;
  /** Of those that wait for it, whether each has given up. */
  #waiting: (() => boolean)[] = [];
  /** For whom it was opened, and the window is read. */
  #openedFor: string;
  /** What opening read, until the window is filled; and whether that is all of the log. */
  #first: readonly LogRecord[] = [];
  #isWhole = false;
  #isFilled = false;
  #filling: Promise<void> | undefined;
  #isStopped = false;
  #readsLater = false;
  /** The newest place that another isolate has told of and that is read later. */
  #told = "";
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
    this.#openedFor = options.room;
    this.#catchUp = new CatchUp({
      step: () => this.#readPage(),
      onFailure: (error) => this.#fail(error),
      holds: options.holds,
    });
  }

  /** Whether the recent messages have been read, or are being read. */
  get isInUse(): boolean {
    return this.#isOpen || this.#opening !== undefined;
  }

  /** Whether the log must be read before anything else may be delivered. */
  get mustRead(): boolean {
    return !this.#isFilled || this.#isUncertain || this.#unsettled > 0 || this.#catchUp.isRunning;
  }

  /**
   * Reads the recent messages, once.
   *
   * @param key For whom, by address. @default {the room's name}
   * @param isGivenUp Whether nobody waits any more by its turn: then nothing is read. @default {no}
   * @returns Undefined where that has been done.
   * @throws Whatever the store rejects with; a later call tries again.
   */
  open(key = this.#options.room, isGivenUp = () => false): Promise<void> | undefined {
    if (this.#isOpen) return undefined;
    this.#waiting.push(isGivenUp);
    if (!this.#opening) this.#openedFor = key;
    return this.#opening ??= this.#open(key);
  }

  async #open(key: string): Promise<void> {
    const isWanted = () => !this.#waiting.every((isGivenUp) => isGivenUp());
    try {
      // Before its turn among others: with one, the rooms behind it would wait for this too.
      await this.#options.openEverywhere?.();
      // Somebody may come while the turn of those passes who have given up.
      while (!this.#isOpen && isWanted()) {
        const read = async () => void (isWanted() && await this.#readRecent());
        await this.#options.opening.run(key, read);
      }
    } finally {
      this.#opening = undefined;
      this.#waiting = [];
    }
  }

  /**
   * Fills the deduplication window, once: nothing is delivered or stored before.
   *
   * @returns Undefined where that has been done.
   * @throws Whatever the store rejects with; a later call tries again.
   */
  fillWindow(): Promise<void> | undefined {
    if (this.#isFilled) return undefined;
    return this.#filling ??= this.#readWindow().catch((error) => {
      const { room, logger, metrics } = this.#options;
      metrics.readFailures++;
      logger("error", "read_failed", { room, error });
      throw error;
    }).finally(() => this.#filling = undefined);
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
    if (!this.#isFilled) {
      if (this.isInUse) void this.catchUp();
      return;
    }
    const { delivery, flushes, hasPending, metrics } = this.#options;
    if (cursor <= delivery.cursor) return;
    // Much of it goes out together with what this isolate is about to store.
    const isMuch = lines.length === 0 || lines.length > FEW;
    if (flushes.isBusy || (isMuch && hasPending())) return this.#readLater(cursor);
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
   * Reads the log when what is being sent has gone out, and what this isolate is storing is there: what
   * others and this isolate store in the meantime goes out together.
   */
  #readLater(cursor: string): void {
    if (cursor > this.#told) this.#told = cursor;
    if (this.#readsLater) return;
    this.#readsLater = true;
    const read = () => {
      this.#readsLater = false;
      if (!this.#isStopped && this.#options.delivery.cursor < this.#told) void this.catchUp();
    };
    void this.#options.flushes.drained().then(() => {
      if (this.#isStopped || !this.#options.hasPending()) return read();
      // A commit of this isolate that is on its way will read the log too.
      this.#timer = setTimeout(read, OWN_COMMIT_MS);
    });
  }

  /** Reads what is kept in memory; in a quiet room that is all of the window. */
  async #readRecent(): Promise<void> {
    const { room, log, recent, changes, erasures, delivery, holds } = this.#options;
    using _hold = holds.take();
    const options = { limit: RECENT, maxLength: RECENT_LENGTH };
    const opening = await readOpening(log, room, options);
    const { records, kept, states, cursor, hasChanges, hasControls } = opening;
    for (const [user, place] of opening.erased) this.#options.erased.set(user, place);
    if (hasControls) await this.#options.loadControls();
    const known = new DeduplicationWindow();
    for (const record of records) {
      const isShown = known.push(record) === undefined;
      if (record.cursor >= (kept[0]?.cursor ?? "~")) recent.push(record, isShown);
    }
    for (const [message, state] of states) recent.setState(message, state);
    if (hasChanges) changes.skipTo(cursor);
    erasures.look(records, states);
    delivery.skipTo(cursor);
    this.#isWhole = records.length < RECENT && lengthOf(records) < RECENT_LENGTH;
    this.#first = records;
    this.#isOpen = true;
    void log.sweep(room);
    void this.fillWindow()?.catch(() => {}); // It is tried again when it is needed.
  }

  /** Reads back until the window is full, and fills it. */
  async #readWindow(): Promise<void> {
    const { room, log, opening, recent, tombstones, window, holds } = this.#options;
    using _hold = holds.take();
    await this.open();
    const reach = new WindowReach();
    for (const record of this.#first.toReversed()) reach.add(record);
    const pages = [this.#first];
    const options = { limit: PAGE, maxLength: WINDOW_PAGE_LENGTH };
    while (!this.#isWhole && !reach.isReached && !this.#isStopped) {
      const { cursor } = pages[0][0];
      const page = await opening.runPage(this.#openedFor, () => log.before(room, cursor, options));
      for (const record of page.toReversed()) reach.add(record);
      if (page.length === 0) break;
      pages.unshift(page);
    }
    const duplicates: Duplicate[] = [];
    for (const record of pages.flat()) {
      const first = window.push(record);
      if (!first) continue;
      recent.hide(record.cursor);
      if (!record.repeats) duplicates.push({ record, first: first.cursor });
    }
    // The isolate that wrote them did not live to write their tombstones.
    tombstones.write(duplicates);
    this.#first = [];
    this.#isFilled = true;
  }

  async #readPage(): Promise<boolean> {
    await this.open();
    await this.fillWindow();
    const { room, log, delivery, metrics } = this.#options;
    this.#isUncertain = false;
    metrics.catchUps++;
    const options = { limit: PAGE, maxLength: PAGE_LENGTH };
    try {
      const { records, isPart } = await readOn(log, room, delivery.cursor, options);
      if (records.length > 0) delivery.deliver(records, { announce: true });
      return isPart;
    } catch (error) {
      if (!(error instanceof PlaceLostError)) throw error;
      // What comes next belongs to another history: members would miss what is before it.
      if (!this.#isStopped) this.#options.onWentBack();
      return false;
    }
  }

  #fail(error: unknown): void {
    const { room, logger, metrics } = this.#options;
    this.#isUncertain = true;
    metrics.readFailures++;
    logger("error", "catch_up_failed", { room, error });
  }
}
