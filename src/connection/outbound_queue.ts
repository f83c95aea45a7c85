/**
 * What waits to go out on one connection.
 *
 * @module
 */

import type { EnvelopeBatch } from "../hub/envelope_batch.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Bytes waiting above which typing and presence are conflated; never above a part of the limit. */
const SOFT_LIMIT_BYTES = 256 * 1024;
const SOFT_LIMIT_PART = 4;
/** Bytes waiting up to which no limit is near, so that none is looked up. */
const SURELY_FINE_BYTES = 16 * 1024;
/** Bytes of UTF-8 for a UTF-16 code unit, at worst. */
const BYTES_PER_UNIT = 3;
/** Milliseconds that a member has to take a page of a long recovery. */
const DRAIN_TIMEOUT_MS = 30_000;
/** Milliseconds between two looks whether a member has caught up, at first and at most. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 100;
/** Texts that were taken, from which on the memory of their places is given back. */
const COMPACT_FROM = 1_000;

/** How an {@linkcode OutboundQueue} behaves. */
export interface OutboundQueueOptions {
  /** Counts what is conflated. */
  readonly metrics: Metrics;
  /** Returns the bytes that the runtime has taken and not written yet. */
  readonly bufferedBytes: () => number;
  /** Returns the bytes that may wait before the member is too slow. */
  readonly hardLimitBytes: () => number;
  /** Sends envelopes that were held back: the net change, once the member has caught up. */
  readonly onRelease: (envelopes: readonly string[]) => void;
  /** Called when more waits than may, or when a page is not taken in time. */
  readonly onTooSlow: () => void;
}

/** A change of status that is held back: what the member knows, and what holds by now. */
interface HeldChange {
  readonly known: boolean;
  readonly status: boolean;
  readonly envelope: string;
}

/**
 * The outbound queue of a connection: it owns the bytes that wait, in the queue and in the runtime,
 * and decides what a member that is behind gets. Messages are never left out: a member for which
 * more than the hard limit waits is too slow. Of typing and presence the latest state of each user
 * is kept while the member is behind, and the net change is sent when it has caught up.
 *
 * @example
 * ```ts
 * import { EnvelopeBatch, Metrics } from "@hubbub/hub";
 * import { OutboundQueue } from "./outbound_queue.ts";
 *
 * const queue = new OutboundQueue({
 *   metrics: new Metrics(),
 *   bufferedBytes: () => 0,
 *   hardLimitBytes: () => 1_000_000,
 *   onRelease: (envelopes) => console.log(envelopes),
 *   onTooSlow: () => console.log("It takes too little"),
 * });
 * const batch = new EnvelopeBatch(['{"type":"pong","payload":{}}']);
 * if (queue.admits(batch)) queue.push(batch.envelopes);
 * console.log(queue.take(1)); // ['{"type":"pong","payload":{}}']
 * ```
 */
export class OutboundQueue {
  readonly #options: OutboundQueueOptions;
  #texts: string[] = [];
  #next = 0;
  #length = 0;
  readonly #held = new Map<string, HeldChange>();
  #heldLength = 0;
  /** An upper bound of the bytes that wait: asking a socket each time would cost a tenth more. */
  #waitingAtMost = 0;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onDrained = new Set<() => void>();

  /** @param options Where texts go, and how many bytes may wait. */
  constructor(options: OutboundQueueOptions) {
    this.#options = options;
  }

  /** How many texts wait for their turn. */
  get size(): number {
    return this.#texts.length - this.#next;
  }

  /** UTF-16 code units of the text that is taken next; 0 where none waits. */
  get nextLength(): number {
    return this.#texts[this.#next]?.length ?? 0;
  }

  /** Bytes that wait: in the queue, held back, and in the runtime. */
  get waitingBytes(): number {
    return this.#unsentBytes + this.#heldLength;
  }

  /**
   * Decides whether a batch is to be sent now, and counts its bytes. What is ephemeral is held
   * back for a member that is behind.
   *
   * @param batch The batch.
   * @returns False where it is not to be sent: it is held back, or the member is too slow.
   */
  admits(batch: EnvelopeBatch): boolean {
    if (this.#isClosed) return false;
    const isBehind = this.#waitingAtMost > SURELY_FINE_BYTES && this.#isOver(batch);
    if (this.#isClosed) return false;
    if (batch.changes && (isBehind || this.#held.size > 0)) {
      this.#hold(batch);
      return false;
    }
    this.#waitingAtMost += BYTES_PER_UNIT * batch.length;
    return true;
  }

  /**
   * Appends texts, each to be sent on its own.
   *
   * @param texts The texts.
   */
  push(texts: readonly string[]): void {
    for (const text of texts) {
      this.#texts.push(text);
      this.#length += text.length;
    }
  }

  /**
   * Takes texts out, oldest first.
   *
   * @param count The most that are taken.
   * @returns The texts.
   */
  take(count: number): readonly string[] {
    const taken = this.#texts.slice(this.#next, this.#next + count);
    for (const text of taken) this.#length -= text.length;
    this.#next += taken.length;
    if (this.#next === this.#texts.length) [this.#texts, this.#next] = [[], 0];
    else if (this.#next >= COMPACT_FROM) {
      [this.#texts, this.#next] = [this.#texts.slice(this.#next), 0];
    }
    return taken;
  }

  /**
   * Waits until nothing waits any more; a member that takes too long is too slow.
   *
   * @returns Settles when all was written, or the queue was closed. Never rejects.
   */
  async drained(): Promise<void> {
    const startedAt = performance.now();
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#isClosed && this.#unsentBytes > 0) {
      if (performance.now() - startedAt > DRAIN_TIMEOUT_MS) return this.#options.onTooSlow();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, pauseMs);
        this.#onDrained.add(done);
        const waiting = this.#onDrained;
        function done() {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
      });
      pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
    }
  }

  /** Drops all that waits here, and takes nothing more. */
  close(): void {
    this.#isClosed = true;
    [this.#texts, this.#next, this.#length] = [[], 0, 0];
    this.#held.clear();
    this.#heldLength = 0;
    clearTimeout(this.#timer);
    for (const resolve of this.#onDrained) resolve();
  }

  /** Whether more waits than a batch of this kind allows; beyond the hard limit, closes. */
  #isOver({ changes }: EnvelopeBatch): boolean {
    const hardLimit = this.#options.hardLimitBytes();
    const softLimit = softLimitOf(hardLimit);
    if (this.#waitingAtMost <= (changes ? softLimit : hardLimit)) return false;
    this.#waitingAtMost = this.waitingBytes;
    if (this.#waitingAtMost <= hardLimit) return this.#waitingAtMost > softLimit;
    this.#options.onTooSlow();
    this.close();
    return true;
  }

  get #unsentBytes(): number {
    return this.#options.bufferedBytes() + this.#length;
  }

  /** Keeps the newest status of each user, and forgets those that are as the member knows them. */
  #hold({ changes = [], envelopes }: EnvelopeBatch): void {
    this.#options.metrics.framesConflated++;
    changes.forEach(({ kind, user, status }, i) => {
      const key = `${kind} ${user}`;
      const earlier = this.#held.get(key);
      // Changes alternate: before the first that is held back, the member knew the opposite.
      const known = earlier?.known ?? !status;
      this.#heldLength -= earlier?.envelope.length ?? 0;
      // Deleted first, so that the order of sending is that of the newest changes.
      this.#held.delete(key);
      if (known === status) return;
      this.#held.set(key, { known, status, envelope: envelopes[i] });
      this.#heldLength += envelopes[i].length;
    });
    this.#timer ??= setTimeout(() => this.#release(FIRST_PAUSE_MS), FIRST_PAUSE_MS);
  }

  #release(pauseMs: number): void {
    this.#timer = undefined;
    if (this.#held.size === 0) return;
    const softLimit = softLimitOf(this.#options.hardLimitBytes());
    if (2 * this.#unsentBytes > softLimit) {
      const pause = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
      this.#timer = setTimeout(() => this.#release(pause), pause);
      return;
    }
    const envelopes = [...this.#held.values()].map(({ envelope }) => envelope);
    this.#held.clear();
    this.#waitingAtMost += BYTES_PER_UNIT * this.#heldLength;
    this.#heldLength = 0;
    this.#options.onRelease(envelopes);
  }
}

function softLimitOf(hardLimitBytes: number): number {
  return Math.min(SOFT_LIMIT_BYTES, hardLimitBytes / SOFT_LIMIT_PART);
}
