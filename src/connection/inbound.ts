/**
 * The inbound frames of a connection: their limits and their decoding.
 *
 * @module
 */

import { decodeClientEnvelope, FRAME_MAX_LENGTH } from "../protocol/mod.ts";
import type { ClientEnvelope, ClientEnvelopeV2, CLOSE_CODES } from "../protocol/mod.ts";
import type { Limits, Problem } from "../protocol/mod.ts";
import type { SharedRates } from "../access/shared_rates.ts";
import { TokenBucket } from "../access/token_bucket.ts";

/**
 * Code units of JSON for one byte of text, at worst: `\u0000`. And some for the rest of it. Where
 * longer texts are allowed, so are longer frames.
 */
const FRAME_LENGTH_PER_TEXT_BYTE = 6;
const FRAME_LENGTH_MORE = 4_096;
/** Envelopes in a frame of `hubbub.v1.lines`: more than of messages fit into one; its cost is bounded. */
const LINES_MAX = 2_000;
/** A sign of typing is due every 1.5 s; a client that sends one for each key is still fine. */
const TYPING_PER_SECOND = 10;
const TYPING_BURST = 40;
/** A fresh token is due once in its life. */
const TOKENS_PER_SECOND = 0.2;
const TOKENS_BURST = 5;
/** Joins of rooms: a connection comes back into all of its rooms at once. */
const JOINS_PER_SECOND = 20;
const JOINS_BURST = 200;
/** Frames that are no envelopes: ten a minute are a bug, more are an attack. */
const BAD_FRAMES = 10;
const BAD_FRAMES_PER_SECOND = 10 / 60;
/** Envelopes refused for their text or their rate: a client that heeds the answers has far fewer. */
const REFUSED_BURSTS = 10;
const REFUSED_MIN = 400;

/** Which end a connection comes to: a key of {@linkcode CLOSE_CODES}. */
export type CloseName = keyof typeof CLOSE_CODES;

/** The ends that a member brings about itself; they are logged. */
export const MEMBER_CAUSES: ReadonlySet<string> = new Set<CloseName>([
  "tooBig",
  "tooSlow",
  "notAllowed",
  "tooManyBadFrames",
]);

/** An envelope of either protocol. */
export type AnyEnvelope = ClientEnvelope | ClientEnvelopeV2;

/** What an envelope that was refused is about, as far as that is known. */
export interface RefusedAbout {
  /** Its type. */
  readonly for?: string;
  /** Its room. */
  readonly room?: string;
}

/** Decodes an envelope. */
export type DecodeInbound<E> = (text: string, options: { readonly textMaxBytes: number }) =>
  | { readonly ok: true; readonly envelope: E }
  | {
    readonly ok: false;
    readonly error: Problem & Pick<RefusedAbout, "for">;
    readonly room?: string;
  };

/** How {@linkcode Inbound} behaves. */
export interface InboundOptions<E extends AnyEnvelope = ClientEnvelope> {
  /** Decodes an envelope. @default {decodeClientEnvelope} */
  readonly decode?: DecodeInbound<E>;
  /** The limits of the hub. */
  readonly limits: Limits;
  /** Whether a frame may hold several envelopes. */
  readonly isLines: boolean;
  /** The rates that it shares with other connections. @default {undefined} none */
  readonly rates?: SharedRates;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/** Handles what {@linkcode Inbound} decodes. */
export interface InboundHandler<E extends AnyEnvelope = ClientEnvelope> {
  /** Whether nothing more is to be read. */
  readonly isOver: boolean;
  /** Handles an envelope. */
  accept(envelope: E): void;
  /** Answers with an error. */
  refuse(problem: Problem, about: RefusedAbout): void;
  /** Ends the connection. */
  end(close: CloseName, reason: string): void;
}

/**
 * Decodes frames within limits: an envelope that comes at a bearable rate is handled, all else is
 * refused, and a connection that does not stop is ended. Never throws, and never waits.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { Inbound } from "./inbound.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * const { limits } = hub;
 * const inbound = new Inbound({ limits, isLines: false });
 * inbound.take('{"type":"chat_message","payload":{"text":"hello"}}', {
 *   isOver: false,
 *   accept: (envelope) => console.log(envelope.type), // chat_message
 *   refuse: (problem) => console.log(problem.code),
 *   end: (close, reason) => console.log(close, reason),
 * });
 * ```
 */
export class Inbound<E extends AnyEnvelope = ClientEnvelope> {
  readonly #options: InboundOptions<E>;
  readonly #decode: DecodeInbound<E>;
  readonly #frameMaxLength: number;
  readonly #messages: TokenBucket | undefined;
  readonly #reactions: TokenBucket | undefined;
  readonly #typing: TokenBucket;
  readonly #joins: TokenBucket;
  readonly #tokens: TokenBucket;
  readonly #badFrames: TokenBucket;
  readonly #refused: TokenBucket;

  /**
   * Begins with full rates.
   *
   * @param options The limits.
   */
  constructor(options: InboundOptions<E>) {
    this.#options = options;
    this.#decode = options.decode ?? (decodeClientEnvelope as DecodeInbound<E>);
    const { now, limits } = options;
    const { messages_per_second, message_burst, text_max_bytes } = limits;
    const forText = FRAME_LENGTH_PER_TEXT_BYTE * text_max_bytes + FRAME_LENGTH_MORE;
    this.#frameMaxLength = Math.max(FRAME_MAX_LENGTH, forText);
    if (messages_per_second > 0) {
      const rate = { perSecond: messages_per_second, burst: message_burst, now };
      this.#messages = new TokenBucket(rate);
      // Of their own, so that who reacts to many messages can still write.
      this.#reactions = new TokenBucket(rate);
    }
    this.#typing = new TokenBucket({ perSecond: TYPING_PER_SECOND, burst: TYPING_BURST, now });
    this.#joins = new TokenBucket({ perSecond: JOINS_PER_SECOND, burst: JOINS_BURST, now });
    this.#tokens = new TokenBucket({ perSecond: TOKENS_PER_SECOND, burst: TOKENS_BURST, now });
    this.#badFrames = new TokenBucket({ perSecond: BAD_FRAMES_PER_SECOND, burst: BAD_FRAMES, now });
    const burst = Math.max(REFUSED_MIN, REFUSED_BURSTS * message_burst);
    this.#refused = new TokenBucket({ perSecond: burst / 60, burst, now });
  }

  /**
   * Decodes a frame.
   *
   * @param data The data of the socket's message.
   * @param outlet Handles what is in it.
   */
  take(data: unknown, outlet: InboundHandler<E>): void {
    const length = typeof data === "string" ? data.length : sizeOf(data);
    if (length > this.#frameMaxLength) return outlet.end("tooBig", "The frame is too long");
    if (typeof data !== "string") {
      return this.refuse({ code: "bad_frame", message: "Frames must be text" }, outlet);
    }
    if (!this.#options.isLines) return this.#takeEnvelope(data, outlet);
    if (isBlank(data)) {
      return this.refuse({ code: "bad_frame", message: "The frame is empty" }, outlet);
    }
    let start = 0;
    for (let lines = 0; start < data.length && !outlet.isOver; lines++) {
      if (lines === LINES_MAX) {
        const message = `A frame holds ${LINES_MAX} lines at most`;
        return this.refuse({ code: "bad_frame", message }, outlet);
      }
      const found = data.indexOf("\n", start);
      const end = found < 0 ? data.length : found;
      if (end > start) this.#takeEnvelope(data.slice(start, end), outlet);
      start = end + 1;
    }
  }

  #takeEnvelope(text: string, outlet: InboundHandler<E>): void {
    const { limits } = this.#options;
    const decoded = this.#decode(text, { textMaxBytes: limits.text_max_bytes });
    if (!decoded.ok) {
      const { error, room } = decoded;
      return this.refuse(error, outlet, { for: error.for, room });
    }
    const { envelope } = decoded;
    const waitMs = this.#waitMs(envelope);
    if (waitMs === 0) return outlet.accept(envelope);
    const payload = envelope.payload as { readonly ref?: string } | undefined;
    const ref = payload?.ref;
    const message = "Too much at once: wait before sending more";
    const room = "room" in envelope ? envelope.room : undefined;
    const about = { for: envelope.type, room };
    this.refuse({ code: "rate_limited", message, ref, retry_after_ms: waitMs }, outlet, about);
  }

  #waitMs({ type }: AnyEnvelope): number {
    const { rates } = this.#options;
    switch (type) {
      case "chat_message":
      case "edit_message":
      case "delete_message":
        return this.#messages?.take() || rates?.takeEnvelope() || rates?.takeMessage() || 0;
      case "react":
        return this.#reactions?.take() || rates?.takeEnvelope() || rates?.takeReaction?.() || 0;
      case "typing_status":
      case "read":
      case "ping":
        return this.#typing.take() || rates?.takeEnvelope() || 0;
      case "authenticate":
        return this.#tokens.take() || rates?.takeEnvelope() || 0;
      case "join":
        return this.#joins.take();
      case "leave":
        // Each needs a join, or is refused.
        return 0;
    }
  }

  /**
   * Refuses an envelope, and ends the connection where that happens too often.
   *
   * @param problem What is wrong.
   * @param outlet Answers with the error.
   * @param about What the envelope is about.
   */
  refuse(problem: Problem, outlet: InboundHandler<E>, about: RefusedAbout = {}): void {
    const isBad = problem.code === "bad_frame" || problem.code === "unknown_type";
    const own = isBad ? this.#badFrames : this.#refused;
    const waitMs = own.take() || this.#options.rates?.takeRefusal() || 0;
    outlet.refuse(problem, about);
    if (waitMs > 0) outlet.end("tooManyBadFrames", "Too many bad frames");
  }
}

/** Whether nothing is in a frame but line feeds. */
function isBlank(frame: string): boolean {
  for (let i = 0; i < frame.length; i++) if (frame.charCodeAt(i) !== 10) return false;
  return true;
}

function sizeOf(data: unknown): number {
  return data instanceof ArrayBuffer ? data.byteLength : 0;
}
