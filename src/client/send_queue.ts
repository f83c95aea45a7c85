/**
 * Queue of messages to the server.
 *
 * @module
 */

import { TIMER_MAX_MS } from "../protocol/checks.ts";
import { FRAME_MAX_LENGTH, type Limits, type Problem } from "../protocol/mod.ts";
import { Backoff } from "./backoff.ts";
import { ChatError, errorOf, isErrorCode, isTemporary } from "./chat_error.ts";
import type { Outgoing } from "./outgoing.ts";
import { PACE, type SendPace } from "./send_pace.ts";

/**
 * Messages that may wait for their acknowledgement at once. Fewer than the server remembers refs
 * of (256), so that whatever has to be sent again is seen as a repeat.
 */
const IN_FLIGHT_MAX = 128;
/** Milliseconds before a message that was refused for a while is sent again, and the most. */
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 10_000;
/** The most milliseconds that the server may ask to wait, where nothing else is set. */
const ASKED_MAX_MS = 30_000;
/** Times that a message is sent again after errors of a kind that this version does not know. */
const UNKNOWN_MAX = 5;

/** A stored message, or change, as far as it tells which one that was sent it is. */
export interface Acknowledged {
  /** The ref with which it was sent. */
  readonly ref?: string;
}

/** A message, or a change, that waits to be sent or acknowledged. */
interface Entry<M> {
  readonly outgoing: Outgoing;
  readonly promise: Promise<M>;
  readonly resolve: (message: M) => void;
  readonly reject: (reason: unknown) => void;
  isInFlight: boolean;
  /** How often an error met it that this version does not know. */
  unknownErrors: number;
}

/** How {@linkcode SendQueue} behaves. */
export interface SendQueueOptions {
  /** Messages that may wait, those in flight included. */
  readonly limit: number;
  /** The most milliseconds that a refused message waits, whatever the server asks for. */
  readonly maxDelayMs?: number;
  /** The pace of the connection, attached before the queue is. */
  readonly pace: SendPace;
  /** Sends envelopes; called only between `attach` and `detach`. */
  readonly transmit: (envelopes: readonly string[]) => void;
  /** Called after a message was added, sent, taken back or taken out. */
  readonly onChange?: () => void;
}

/**
 * A bounded queue of messages, and of changes of messages. Each waits for its acknowledgement, and is sent again after a
 * reconnect and after an error that passes; its `ref` makes the repeat one message.
 *
 * @example
 * ```ts
 * import { SendPace } from "./send_pace.ts";
 * import { SendQueue } from "./send_queue.ts";
 *
 * const outgoing = new SendQueue<{ cursor: string; ref?: string }>({
 *   limit: 1000,
 *   pace: new SendPace(),
 *   transmit: (envelopes) => console.log(envelopes),
 * });
 * const envelope = '{"type":"chat_message","room":"lobby","payload":{"text":"hello","ref":"1"}}';
 * const stored = outgoing.add({ ref: "1", envelope, check: () => undefined });
 * outgoing.settle({ cursor: "0".repeat(20), ref: "1" });
 * console.log((await stored).cursor);
 * ```
 */
export class SendQueue<M extends Acknowledged> {
  readonly #options: SendQueueOptions;
  /** By ref, in the order in which they are to be stored. */
  readonly #entries = new Map<string, Entry<M>>();
  readonly #backoff: Backoff;
  readonly #asked: Backoff;
  #limits: Limits | undefined;
  #inFlight = 0;
  #pausedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isFlushing = false;

  /** @param options How many may wait, and where they go. */
  constructor(options: SendQueueOptions) {
    this.#options = options;
    const { maxDelayMs = ASKED_MAX_MS } = options;
    const longestMs = Math.min(RETRY_MAX_MS, maxDelayMs);
    const minDelayMs = Math.min(RETRY_MIN_MS, maxDelayMs);
    this.#backoff = new Backoff({ minDelayMs, maxDelayMs: longestMs });
    this.#asked = new Backoff({ minDelayMs, maxDelayMs });
  }

  /** How many wait to be sent or acknowledged. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Adds a message. One with the ref and the envelope of one that is already waiting is that one.
   *
   * @param outgoing What to send.
   * @param signal Gives it up.
   * @returns The message as stored. Rejects with a {@linkcode ChatError}, or the signal's reason.
   */
  add(outgoing: Outgoing, signal?: AbortSignal): Promise<M> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { ref, envelope } = outgoing;
    const known = this.#entries.get(ref);
    if (known?.outgoing.envelope === envelope) return known.promise;
    if (known) {
      const message = `Another message with the ref "${ref}" already waits to be sent`;
      return Promise.reject(new ChatError(message, { code: "ref_reused", temporary: false }));
    }
    if (this.#entries.size >= this.#options.limit) {
      const message = `${this.#options.limit} messages already wait to be sent`;
      return Promise.reject(new ChatError(message, { code: "queue_full", temporary: true }));
    }
    if (envelope.length > FRAME_MAX_LENGTH) {
      // It would end the connection, again and again.
      const message = `"text" takes more than the ${FRAME_MAX_LENGTH} characters of a frame`;
      return Promise.reject(new ChatError(message, { code: "text_too_long", temporary: false }));
    }
    return this.#queue(outgoing, signal);
  }

  /**
   * Begins to send on a new connection, from the oldest message that is not acknowledged. What
   * waited and is too long for the server is given up: it would end the connection.
   *
   * @param limits What the server allows.
   */
  attach(limits: Limits): void {
    this.#limits = limits;
    this.#pausedUntil = 0;
    for (const [ref, { outgoing }] of this.#entries) {
      const problem = outgoing.check(limits);
      if (problem) this.#take(ref)?.reject(errorOf(problem));
    }
    this.#schedule();
  }

  /** Stops sending: the connection is gone, and what was in flight may not have arrived. */
  detach(): void {
    clearTimeout(this.#timer);
    this.#limits = undefined;
    this.#options.pace.release(this.#inFlight);
    this.#inFlight = 0;
    for (const entry of this.#entries.values()) entry.isInFlight = false;
    this.#options.onChange?.();
  }

  /**
   * Resolves the promise of a message of this user, or of a change, that the server has stored. The
   * text may differ from what was sent, where the server changes it; that the message is the one that
   * was sent, the server has made sure of, and nobody else can guess its ref.
   *
   * @param message The message, with its ref; nothing happens where that is not waited for.
   */
  settle(message: M): void {
    const entry = message.ref === undefined ? undefined : this.#take(message.ref);
    if (!entry) return;
    this.#backoff.reset();
    entry.resolve(message);
  }

  /**
   * Handles an error: the message that it names is sent again later, or its promise rejected.
   *
   * @param problem The error.
   */
  refuse(problem: Problem): void {
    const { ref, code, retry_after_ms: retryAfterMs } = problem;
    const entry = ref === undefined ? undefined : this.#entries.get(ref);
    if (!entry || ref === undefined) return;
    const isKnown = isErrorCode(code);
    if (isKnown ? !isTemporary(code) : ++entry.unknownErrors > UNKNOWN_MAX) {
      this.#take(ref);
      return entry.reject(errorOf(problem));
    }
    this.#land(entry);
    // Where the server says when, one waits no longer; but several clients must not all be on time.
    const isAsked = typeof retryAfterMs === "number" && retryAfterMs >= 0;
    const delayMs = isAsked ? this.#asked.bound(retryAfterMs * PACE) : this.#backoff.next();
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + delayMs);
    // What a room cannot store holds up that room; the rate is one of the connection.
    if (code === "rate_limited") this.#options.pace.pause(delayMs);
    this.#options.onChange?.();
    this.#schedule();
  }

  /**
   * Rejects everything that waits.
   *
   * @param reason What the promises reject with.
   */
  fail(reason: ChatError): void {
    this.detach();
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of entries) entry.reject(reason);
    this.#options.onChange?.();
  }

  /**
   * Tells whether a message is on its way.
   *
   * @param ref Its ref.
   * @returns True where it was sent on this connection and not yet acknowledged, false where it
   * waits to be sent, undefined where there is none of that ref.
   */
  isInFlight(ref: string): boolean | undefined {
    return this.#entries.get(ref)?.isInFlight;
  }

  #queue(outgoing: Outgoing, signal?: AbortSignal): Promise<M> {
    const { ref } = outgoing;
    let settle!: Pick<Entry<M>, "resolve" | "reject">;
    const promise = new Promise<M>((resolve, reject) => settle = { resolve, reject });
    const abort = () => this.#take(ref)?.reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const forget = () => signal?.removeEventListener("abort", abort);
    promise.then(forget, forget);
    const entry = { outgoing, promise, isInFlight: false, unknownErrors: 0, ...settle };
    this.#entries.set(ref, entry);
    this.#options.onChange?.();
    this.#schedule();
    return promise;
  }

  #take(ref: string): Entry<M> | undefined {
    const entry = this.#entries.get(ref);
    if (!entry) return undefined;
    this.#entries.delete(ref);
    this.#land(entry);
    this.#options.onChange?.();
    this.#schedule();
    return entry;
  }

  /** Counts a message as no longer on its way. */
  #land(entry: Entry<M>): void {
    if (!entry.isInFlight) return;
    entry.isInFlight = false;
    this.#inFlight--;
    this.#options.pace.release();
  }

  /** Sends at the end of this turn, so that what is said in one turn goes out in one frame. */
  readonly #schedule = (): void => {
    if (this.#isFlushing || this.#limits === undefined) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      if (this.#limits) this.#flush();
    });
  };

  #flush(): void {
    clearTimeout(this.#timer);
    const waitMs = this.#pausedUntil - performance.now();
    if (waitMs > 0) {
      this.#timer = setTimeout(this.#schedule, Math.min(Math.ceil(waitMs), TIMER_MAX_MS));
      return;
    }
    const { pace, transmit, onChange } = this.#options;
    const envelopes: string[] = [];
    let isWaiting = false;
    for (const entry of this.#entries.values()) {
      if (entry.isInFlight) continue;
      if (this.#inFlight >= IN_FLIGHT_MAX) break;
      isWaiting = !pace.take(this.#schedule);
      if (isWaiting) break;
      entry.isInFlight = true;
      this.#inFlight++;
      envelopes.push(entry.outgoing.envelope);
    }
    if (!isWaiting) pace.forget(this.#schedule);
    if (envelopes.length === 0) return;
    onChange?.();
    transmit(envelopes);
  }
}
