/**
 * Queue of messages to the server.
 *
 * @module
 */

import { TIMER_MAX_MS } from "../protocol/checks.ts";
import { decodeDraft, type Draft, encodeEnvelope } from "../protocol/mod.ts";
import { FRAME_MAX_LENGTH, type Limits, type Message, type Problem } from "../protocol/mod.ts";
import { Backoff } from "./backoff.ts";
import { ChatError, errorOf, isErrorCode, isTemporary } from "./chat_error.ts";

/**
 * Messages that may wait for their acknowledgement at once. Fewer than the server remembers refs
 * of (256), so that whatever has to be sent again is seen as a repeat.
 */
const IN_FLIGHT_MAX = 128;
/** How much slower to send than the server allows, so that a delay on the way costs no refusal. */
const PACE = 1.1;
/** Milliseconds before a message that was refused for a while is sent again, and the most. */
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 10_000;
/** The most milliseconds that the server may ask to wait, where nothing else is set. */
const ASKED_MAX_MS = 30_000;
/** Times that a message is sent again after errors of a kind that this version does not know. */
const UNKNOWN_MAX = 5;

/** A message that waits to be sent or acknowledged. */
interface Entry {
  readonly draft: Required<Draft>;
  /** The envelope, as JSON. */
  readonly envelope: string;
  readonly promise: Promise<Message>;
  readonly resolve: (message: Message) => void;
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
  /** Sends envelopes; called only between `attach` and `detach`. */
  readonly transmit: (envelopes: readonly string[]) => void;
}

/**
 * A bounded queue of messages. Each waits for its acknowledgement, and is sent again after a
 * reconnect and after an error that passes; its `ref` makes the repeat one message.
 *
 * @example
 * ```ts
 * import { SendQueue } from "./send_queue.ts";
 *
 * const outgoing = new SendQueue({ limit: 1000, transmit: (envelopes) => console.log(envelopes) });
 * const stored = outgoing.add({ text: "hello", ref: "1" });
 * const sent_at = "2026-01-02T03:04:05.678Z";
 * const [id, cursor] = ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "0".repeat(20)];
 * outgoing.settle({ id, cursor, room: "lobby", user: "ann", text: "hello", sent_at, ref: "1" });
 * console.log((await stored).id);
 * ```
 */
export class SendQueue {
  readonly #options: SendQueueOptions;
  /** By ref, in the order in which they are to be stored. */
  readonly #entries = new Map<string, Entry>();
  readonly #backoff: Backoff;
  readonly #asked: Backoff;
  #limits: Limits | undefined;
  #inFlight = 0;
  /** When the server would have forgotten all that was sent (a leaky bucket as one number). */
  #paidUntil = 0;
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
   * Adds a message. One with the ref and the text of one that is already waiting is that one.
   *
   * @param draft What to send; it gets a ref if it has none.
   * @param signal Gives it up.
   * @returns The message as stored. Rejects with a {@linkcode ChatError}, or the signal's reason.
   */
  add({ text, ref = createRef() }: Draft, signal?: AbortSignal): Promise<Message> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const known = this.#entries.get(ref);
    if (known?.draft.text === text) return known.promise;
    if (known) {
      const message = `Another message with the ref "${ref}" already waits to be sent`;
      return Promise.reject(new ChatError(message, { code: "ref_reused", temporary: false }));
    }
    if (this.#entries.size >= this.#options.limit) {
      const message = `${this.#options.limit} messages already wait to be sent`;
      return Promise.reject(new ChatError(message, { code: "queue_full", temporary: true }));
    }
    const envelope = encodeEnvelope({ type: "chat_message", payload: { text, ref } });
    if (envelope.length > FRAME_MAX_LENGTH) {
      // It would end the connection, again and again.
      const message = `"text" takes more than the ${FRAME_MAX_LENGTH} characters of a frame`;
      return Promise.reject(new ChatError(message, { code: "text_too_long", temporary: false }));
    }
    return this.#queue({ text, ref }, envelope, signal);
  }

  /**
   * Begins to send on a new connection, from the oldest message that is not acknowledged. What
   * waited and is too long for the server is given up: it would end the connection.
   *
   * @param limits What the server allows.
   */
  attach(limits: Limits): void {
    this.#limits = limits;
    this.#paidUntil = this.#pausedUntil = 0;
    const { text_max_bytes: textMaxBytes } = limits;
    for (const [ref, { draft }] of this.#entries) {
      const decoded = decodeDraft(draft, { textMaxBytes });
      if (!decoded.ok) this.#take(ref)?.reject(errorOf(decoded.error));
    }
    this.#schedule();
  }

  /** Stops sending: the connection is gone, and what was in flight may not have arrived. */
  detach(): void {
    clearTimeout(this.#timer);
    this.#limits = undefined;
    this.#inFlight = 0;
    for (const entry of this.#entries.values()) entry.isInFlight = false;
  }

  /**
   * Resolves the promise of a message of this user that the server has stored. The text may differ
   * from what was sent, where the server changes it; that the message is the one that was sent,
   * the server has made sure of, and nobody else can guess its ref.
   *
   * @param message The message, with its ref; nothing happens where that is not waited for.
   */
  settle(message: Message): void {
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
    if (entry.isInFlight) this.#inFlight--;
    entry.isInFlight = false;
    // Where the server says when, one waits no longer; but several clients must not all be on time.
    const isAsked = typeof retryAfterMs === "number" && retryAfterMs >= 0;
    const delayMs = isAsked ? this.#asked.bound(retryAfterMs * PACE) : this.#backoff.next();
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + delayMs);
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
  }

  #queue(draft: Required<Draft>, envelope: string, signal?: AbortSignal): Promise<Message> {
    const { ref } = draft;
    let settle!: Pick<Entry, "resolve" | "reject">;
    const promise = new Promise<Message>((resolve, reject) => settle = { resolve, reject });
    const abort = () => this.#take(ref)?.reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const forget = () => signal?.removeEventListener("abort", abort);
    promise.then(forget, forget);
    this.#entries.set(ref, {
      draft,
      envelope,
      promise,
      isInFlight: false,
      unknownErrors: 0,
      ...settle,
    });
    this.#schedule();
    return promise;
  }

  #take(ref: string): Entry | undefined {
    const entry = this.#entries.get(ref);
    this.#entries.delete(ref);
    if (entry?.isInFlight) this.#inFlight--;
    this.#schedule();
    return entry;
  }

  /** Sends at the end of this turn, so that what is said in one turn goes out in one frame. */
  #schedule(): void {
    if (this.#isFlushing || this.#limits === undefined) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      if (this.#limits) this.#flush(this.#limits);
    });
  }

  #flush({ messages_per_second: perSecond, message_burst: burst }: Limits): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const isLimited = perSecond > 0;
    const stepMs = isLimited ? 1000 / perSecond * PACE : 0;
    // Half of what the server allows at once: what the network bunches up takes the other half.
    const atOnce = Math.max(1, burst >> 1);
    const most = isLimited ? Math.min(IN_FLIGHT_MAX, atOnce) : IN_FLIGHT_MAX;
    const envelopes: string[] = [];
    let waitMs = this.#pausedUntil - now;
    for (const entry of this.#entries.values()) {
      if (waitMs > 0 || this.#inFlight >= most) break;
      if (entry.isInFlight) continue;
      this.#paidUntil = Math.max(this.#paidUntil, now);
      waitMs = this.#paidUntil - now - (atOnce - 1) * stepMs;
      if (waitMs > 0) break;
      this.#paidUntil += stepMs;
      entry.isInFlight = true;
      this.#inFlight++;
      envelopes.push(entry.envelope);
    }
    if (waitMs > 0 && this.#inFlight < this.#entries.size) {
      // A very slow server is waited for in pieces: a timer has no more than 32 bits.
      const pieceMs = Math.min(Math.ceil(waitMs), TIMER_MAX_MS);
      this.#timer = setTimeout(() => this.#schedule(), pieceMs);
    }
    if (envelopes.length > 0) this.#options.transmit(envelopes);
  }
}

/** Draws a ref of 128 random bits, which nobody else can guess: 22 characters of base64url. */
function createRef(): string {
  // Not randomUUID(), which browsers offer to secure origins only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replace("==", "");
}
