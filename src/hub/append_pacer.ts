/**
 * Pacing of a room's appends.
 *
 * @module
 */

import { BatchWindow } from "../store/batch_window.ts";
import type { FlushTracker } from "./flush_tracker.ts";
import type { CommitAppend } from "./room_append.ts";

/** Bytes that rooms may hold back together: where storage hangs, memory does not grow beyond this. */
const HELD_MAX_BYTES = 32 * 1024 * 1024;
/** Milliseconds of sending from which on it is slow: a member does not just take its frame. */
const SLOW_MS = 5;
/** Milliseconds that a room rests for each millisecond of slow sending, and at most. */
const REST_PER_SLOW_MS = 3;
const REST_MAX_MS = 250;

/** The bytes that all rooms of a hub hold back. */
export class HeldBytes {
  #bytes = 0;

  /**
   * Takes bytes from what may be held back.
   *
   * @param bytes How many.
   * @returns False where there are not so many left.
   */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > HELD_MAX_BYTES) return false;
    this.#bytes += bytes;
    return true;
  }

  /**
   * Gives bytes back.
   *
   * @param bytes How many.
   */
  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** How an {@linkcode AppendPacer} behaves. */
export interface AppendPacerOptions {
  /** Adds an append to the next commit; false where so much waits that it is not accepted. */
  readonly commit: (append: CommitAppend) => boolean;
  /** Called with appends that were held back and could not be committed then. */
  readonly onReject: (appends: readonly CommitAppend[]) => void;
  /** Knows whether members have what they were sent last. */
  readonly flushes: Pick<FlushTracker, "drained" | "isBusy">;
  /** Returns how many milliseconds the last delivery kept the processor. */
  readonly sendingMs: () => number;
  /** The bytes that all rooms of the hub hold back. */
  readonly held: HeldBytes;
}

/**
 * Holds a room's appends back while those before are committed and sent, so that they fill a batch
 * together. Only this room's: commits of other rooms wait for none of its members. A room whose
 * members take long to be sent to, which holds everybody up, rests three times as long.
 */
export class AppendPacer {
  readonly #options: AppendPacerOptions;
  readonly #window: BatchWindow;
  #held: CommitAppend[] = [];
  /** Whether appends of the room are being committed or sent. */
  #isBusy = false;
  #isReleased = false;
  /** Whether the next append waits for others, for as long as the last batch took to go out. */
  #isGathering = false;
  /** Until when the room rests, by `performance.now()`, because sending took long. */
  #restsUntil = 0;
  #rest: { readonly timer: ReturnType<typeof setTimeout>; readonly end: () => void } | undefined;

  /**
   * Starts with nothing to hold back.
   *
   * @param options Where appends go, and how to tell that they have gone out.
   */
  constructor(options: AppendPacerOptions) {
    this.#options = options;
    this.#window = new BatchWindow(() => options.flushes.drained());
  }

  /**
   * Adds an append to the next commit, or to the one after.
   *
   * @param append The append.
   * @returns False where so much waits that it is not accepted.
   */
  add(append: CommitAppend): boolean {
    if (this.#isBusy || this.#isGathering) {
      if (!this.#options.held.take(append.line.length)) return false;
      this.#held.push(append);
      if (!this.#isBusy) void this.#gather();
    } else if (!this.#options.commit(append)) return false;
    this.#window.add();
    return true;
  }

  /**
   * Holds back what comes from now on: a commit of what came before is on its way.
   *
   * @param count How many appends of this room are in it.
   */
  begin(count: number): void {
    this.#isBusy = !this.#isReleased;
    this.#window.take(count);
  }

  /**
   * Lets appends go on once what was committed has gone out: at once where it has.
   *
   * @param read Settles when it has been sent, where the log is read for that.
   * @returns Settles when they go on; undefined where they do. Never rejects.
   */
  end(read: Promise<void> | undefined): Promise<void> | undefined {
    const { flushes, sendingMs } = this.#options;
    if (read || flushes.isBusy || sendingMs() >= SLOW_MS) return this.#endLater(read);
    this.#goOn();
    return undefined;
  }

  async #endLater(read: Promise<void> | undefined): Promise<void> {
    if (read) await read;
    await this.#window.sent();
    const slowMs = this.#options.sendingMs();
    if (slowMs >= SLOW_MS) {
      this.#restsUntil = performance.now() + Math.min(REST_MAX_MS, REST_PER_SLOW_MS * slowMs);
    }
    this.#isGathering = !this.#isReleased;
    if (this.#held.length > 0) return await this.#gather();
    this.#isBusy = false;
  }

  /** Lets appends go on at once: nothing came of the commit. */
  fail(): void {
    this.#goOn();
  }

  /** Holds nothing back any more. */
  release(): void {
    this.#isReleased = true;
    this.#isGathering = false;
    if (this.#rest) {
      clearTimeout(this.#rest.timer);
      this.#rest.end();
    }
    this.#goOn();
  }

  /** Lets appends go on when enough of them are there. */
  async #gather(): Promise<void> {
    this.#isBusy = true;
    this.#isGathering = false;
    const restMs = this.#restsUntil - performance.now();
    if (restMs > 0) await this.#sleep(restMs);
    else if (!this.#isReleased) await this.#window.enough();
    this.#goOn();
  }

  #sleep(ms: number): Promise<void> {
    if (this.#isReleased) return Promise.resolve();
    return new Promise((resolve) => {
      this.#rest = { timer: setTimeout(resolve, ms), end: resolve };
    });
  }

  #goOn(): void {
    this.#isBusy = false;
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    const rejected: CommitAppend[] = [];
    for (const append of held) {
      this.#options.held.give(append.line.length);
      if (!this.#options.commit(append)) rejected.push(append);
    }
    if (rejected.length === 0) return;
    this.#window.take(rejected.length);
    this.#options.onReject(rejected);
  }
}
