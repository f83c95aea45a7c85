/**
 * What waits to go out on one connection.
 *
 * @module
 */

import type { StatusChange } from "../hub/envelope_batch.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { FairQueue } from "./fair_queue.ts";

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
/** UTF-16 code units of a change of status without the user's name, where nothing is encoded yet. */
const CHANGE_LENGTH = 64;

/** Envelopes on their way out: such as an `EnvelopeBatch`. */
export interface Outgoing {
  /** UTF-16 code units of all of them. */
  readonly length: number;
  /** What they say, where they are ephemeral. */
  readonly changes: readonly StatusChange[] | undefined;
  /** The envelope of each change. @default {undefined} they are encoded on release */
  readonly envelopes?: readonly string[];
}

/** How an {@linkcode OutboundQueue} behaves. */
export interface OutboundQueueOptions {
  /** Counts what is conflated. */
  readonly metrics: Metrics;
  /** Returns the bytes that the runtime has taken and not written yet. */
  readonly bufferedBytes: () => number;
  /** Returns the bytes that may wait before the member is too slow. */
  readonly hardLimitBytes: () => number;
  /** Sends changes that were held back: the net ones, once the member has caught up. */
  readonly onRelease: (changes: readonly HeldChange[]) => void;
  /** Called when more waits than may, or when a page is not taken in time. */
  readonly onTooSlow: () => void;
}

/** A change of status that is held back: what the member knows, and what holds by now. */
export interface HeldChange extends StatusChange {
  /** The room that it is about; empty on a connection with one room. */
  readonly room: string;
  /** Its envelope; empty where it is encoded on release. */
  readonly envelope: string;
  /** The status that the member knows. */
  readonly known: boolean;
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
 *   onRelease: (changes) => console.log(changes),
 *   onTooSlow: () => console.log("It takes too little"),
 * });
 * const batch = new EnvelopeBatch(['{"type":"pong","payload":{}}']);
 * if (queue.admits(batch)) queue.push(batch.lines);
 * console.log(queue.take()); // {"type":"pong","payload":{}}
 * ```
 */
export class OutboundQueue {
  readonly #options: OutboundQueueOptions;
  readonly #texts = new FairQueue();
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
    return this.#texts.size;
  }

  /** UTF-16 code units of the text that is taken next; 0 where none waits. */
  get nextLength(): number {
    return this.#texts.nextLength;
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
   * @param room The room that it is about. @default {""} the only one
   * @returns False where it is not to be sent: it is held back, or the member is too slow.
   */
  admits(batch: Outgoing, room = ""): boolean {
    if (this.#isClosed) return false;
    const isBehind = this.#waitingAtMost > SURELY_FINE_BYTES && this.#isTooMuch(batch);
    if (this.#isClosed) return false;
    if (batch.changes && (isBehind || this.#held.size > 0)) {
      this.#hold(batch, room);
      return false;
    }
    this.#waitingAtMost += BYTES_PER_UNIT * batch.length;
    return true;
  }

  /**
   * Whether more than some bytes may wait, without asking the runtime: most sockets are far from it.
   *
   * @param bytes How many.
   * @returns False where surely no more do.
   */
  mayBeOver(bytes: number): boolean {
    return this.#waitingAtMost > bytes;
  }

  /**
   * Whether more waits than some bytes.
   *
   * @param bytes How many.
   * @returns True where more does.
   */
  isOver(bytes: number): boolean {
    if (this.#waitingAtMost <= bytes) return false;
    this.#waitingAtMost = this.waitingBytes;
    return this.#waitingAtMost > bytes;
  }

  /**
   * Forgets the changes of a room that are held back: its member has left it.
   *
   * @param room The room.
   */
  forget(room: string): void {
    for (const [key, held] of this.#held) if (held.room === room) this.#unhold(key, held);
  }

  /**
   * Appends a text, to be sent on its own.
   *
   * @param text The text.
   * @param room The room whose texts it follows: rooms take turns. @default {""} the only one
   */
  push(text: string, room = ""): void {
    this.#texts.push(text, room);
  }

  /**
   * Takes a text out: the oldest of the room whose turn it is.
   *
   * @returns The text, or undefined where none waits.
   */
  take(): string | undefined {
    return this.#texts.take();
  }

  /**
   * Waits until little waits any more; a member that takes too long is too slow.
   *
   * @param restBytes The bytes that may still wait. @default {0}
   * @returns Settles when the rest was written, or the queue was closed. Never rejects.
   */
  async drained(restBytes = 0): Promise<void> {
    const startedAt = performance.now();
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#isClosed && this.#unsentBytes > restBytes) {
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
    this.#texts.clear();
    this.#held.clear();
    this.#heldLength = 0;
    clearTimeout(this.#timer);
    for (const resolve of this.#onDrained) resolve();
  }

  /** Whether more waits than a batch of this kind allows; beyond the hard limit, closes. */
  #isTooMuch({ changes }: Outgoing): boolean {
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
    return this.#options.bufferedBytes() + this.#texts.length;
  }

  /** Keeps the newest status of each user, and forgets those that are as the member knows them. */
  #hold({ changes = [], envelopes }: Outgoing, room: string): void {
    this.#options.metrics.framesConflated++;
    changes.forEach((change, i) => {
      const { kind, user, status, name, isRename = false } = change;
      // No name of a room holds a space.
      const key = `${room} ${kind} ${user}`;
      const earlier = this.#held.get(key);
      // Changes alternate: before the first that is held back, the member knew the opposite.
      const known = earlier?.known ?? (isRename || !status);
      // Deleted first, so that the order of sending is that of the newest changes.
      if (earlier) this.#unhold(key, earlier);
      const envelope = envelopes?.[i] ?? "";
      // Names are told where envelopes are encoded on release.
      const isOther = envelope === "" && status &&
        (isRename || earlier?.isRename || (earlier !== undefined && earlier.name !== name));
      if (known === status && !isOther) return;
      const what = { kind, user, status, ...(name !== undefined && { name }) };
      const held: HeldChange = { room, ...what, known, envelope, isRename: known === status };
      this.#held.set(key, held);
      this.#heldLength += lengthOf(held);
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
    const changes = [...this.#held.values()];
    this.#held.clear();
    this.#waitingAtMost += BYTES_PER_UNIT * this.#heldLength;
    this.#heldLength = 0;
    this.#options.onRelease(changes);
  }

  #unhold(key: string, held: HeldChange): void {
    this.#held.delete(key);
    this.#heldLength -= lengthOf(held);
  }
}

function lengthOf({ user, envelope }: HeldChange): number {
  return envelope.length || user.length + CHANGE_LENGTH;
}

function softLimitOf(hardLimitBytes: number): number {
  return Math.min(SOFT_LIMIT_BYTES, hardLimitBytes / SOFT_LIMIT_PART);
}
