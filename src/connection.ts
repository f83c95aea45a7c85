/**
 * One WebSocket: what it may send, what it gets, and how it ends.
 *
 * @module
 */

import { Frame } from "./frame.ts";
import type { Hub } from "./hub.ts";
import type { Logger } from "./logger.ts";
import { CLOSE_CODES, decodeClientEnvelope, encodeEnvelope, PROTOCOL_V1 } from "./protocol.ts";
import { FRAME_MAX_LENGTH, type Problem } from "./protocol.ts";
import { PROTOCOL_V1_LINES, type Subprotocol } from "./protocol.ts";
import type { JoinOptions } from "./room.ts";
import type { Member, Seat } from "./seat.ts";
import { TokenBucket } from "./token_bucket.ts";

/** Bytes waiting for a member above which it gets no typing and no presence. */
const SOFT_LIMIT_BYTES = 256 * 1024;
/** Bytes waiting for a member above which it has to go, and may resume. */
const HARD_LIMIT_BYTES = 1024 * 1024;
/** Milliseconds that a member has to take a page of a long replay. */
const DRAIN_TIMEOUT_MS = 30_000;
/** A sign of typing is due every 1.5 s; a client that sends one for each key is still fine. */
const TYPING_PER_SECOND = 10;
const TYPING_BURST = 40;

/** What a connection is for. */
export interface ConnectionOptions extends JoinOptions {
  /** The hub to join. */
  readonly hub: Hub;
  /** The room, already checked. */
  readonly room: string;
  /** Whose connection it is, already checked. */
  readonly user: string;
  /** Takes what an operator should know. */
  readonly logger: Logger;
  /**
   * Seconds without a sign of life after which the peer is taken for dead; it is pinged halfway.
   *
   * @default {30}
   */
  readonly idleTimeoutSeconds?: number;
  /** Hears that the connection ended, once. */
  readonly onEnd?: () => void;
}

/**
 * Upgrades a request and joins the room with the new connection.
 *
 * Everything that can be refused must have been refused before: once the upgrade has happened, a
 * throw or another response would close the whole listener (measured with Deno 2.9.6).
 *
 * @param request A request to upgrade to a WebSocket.
 * @param options What the connection is for.
 * @returns The response, to be returned to `Deno.serve` untouched.
 * @throws {TypeError} Where the request is no valid WebSocket handshake; then nothing happened.
 */
export function connect(request: Request, options: ConnectionOptions): Response {
  const offered = request.headers.get("sec-websocket-protocol") ?? "";
  const protocol = chooseProtocol(offered);
  // Deno splits the list at ", " and throws where the choice is not in what it found.
  const passed = protocol !== undefined && offered.split(", ").includes(protocol);
  const { socket, response } = Deno.upgradeWebSocket(request, {
    protocol: passed ? protocol : undefined,
    idleTimeout: options.idleTimeoutSeconds ?? 30,
  });
  try {
    if (protocol && !passed) response.headers.set("sec-websocket-protocol", protocol);
    new Connection(socket, protocol ?? PROTOCOL_V1, options);
  } catch (error) {
    options.logger("error", "connection_failed", { room: options.room, error });
    socket.onopen = () => socket.close(CLOSE_CODES.internalError.code);
    options.onEnd?.();
  }
  return response;
}

/**
 * Chooses the first subprotocol that a client offers and the server speaks.
 *
 * @param offered The header `Sec-WebSocket-Protocol`: names with commas, with or without spaces.
 * @returns The subprotocol to answer with, or undefined for none.
 */
export function chooseProtocol(offered: string): Subprotocol | undefined {
  for (const name of offered.split(",")) {
    const protocol = name.trim();
    if (protocol === PROTOCOL_V1 || protocol === PROTOCOL_V1_LINES) return protocol;
  }
  return undefined;
}

/** A member whose connection is a WebSocket. */
class Connection implements Member {
  readonly user: string;
  readonly #socket: WebSocket;
  readonly #isLines: boolean;
  readonly #options: ConnectionOptions;
  readonly #messages: TokenBucket | undefined;
  readonly #typing = new TokenBucket({ perSecond: TYPING_PER_SECOND, burst: TYPING_BURST });
  #seat: Seat | undefined;
  #hasEnded = false;

  constructor(socket: WebSocket, protocol: Subprotocol, options: ConnectionOptions) {
    this.user = options.user;
    this.#socket = socket;
    this.#isLines = protocol === PROTOCOL_V1_LINES;
    this.#options = options;
    const { messages_per_second: perSecond, message_burst: burst } = options.hub.limits;
    this.#messages = perSecond > 0 ? new TokenBucket({ perSecond, burst }) : undefined;
    socket.onopen = () => this.#guard(() => this.#join());
    socket.onmessage = ({ data }) => this.#guard(() => this.#take(data));
    // May come twice, or never.
    socket.onclose = () => this.#guard(() => this.#end());
    socket.onerror = (event) => {
      event.preventDefault();
      this.#guard(() => this.#end());
    };
  }

  send(frame: Frame): void {
    const socket = this.#socket;
    if (socket.readyState !== WebSocket.OPEN) return;
    const waiting = socket.bufferedAmount;
    if (frame.ephemeral && waiting > SOFT_LIMIT_BYTES) {
      this.#options.hub.metrics.framesShed++;
      return;
    }
    if (waiting > HARD_LIMIT_BYTES) return this.#tooSlow();
    if (this.#isLines) socket.send(frame.lines);
    else for (const envelope of frame.envelopes) socket.send(envelope);
  }

  close(code: number, reason: string): void {
    // A peer that does not read never finishes closing: nothing here waits for it.
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(code, reason);
  }

  async drained(): Promise<void> {
    const startedAt = performance.now();
    let pauseMs = 1;
    while (this.#socket.bufferedAmount > 0) {
      if (performance.now() - startedAt > DRAIN_TIMEOUT_MS) return this.#tooSlow();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(100, pauseMs * 2);
    }
  }

  #join(): void {
    const { hub, room } = this.#options;
    this.#seat = hub.join(room, this, this.#options);
    if (this.#socket.readyState !== WebSocket.OPEN) this.#seat.leave();
  }

  #take(data: unknown): void {
    if (!this.#seat || this.#seat.state === "left") return;
    if (typeof data !== "string") {
      return this.#refuse({ code: "bad_frame", message: "Frames must be text" });
    }
    if (data.length > FRAME_MAX_LENGTH) {
      return this.#seat.expel(CLOSE_CODES.tooBig.code, "The frame is too long");
    }
    if (!this.#isLines) return this.#takeEnvelope(data);
    for (const line of data.split("\n")) if (line !== "") this.#takeEnvelope(line);
  }

  #takeEnvelope(text: string): void {
    const { limits } = this.#options.hub;
    const decoded = decodeClientEnvelope(text, { textMaxBytes: limits.text_max_bytes });
    if (!decoded.ok) return this.#refuse(decoded.error);
    const { type, payload } = decoded.envelope;
    switch (type) {
      case "chat_message": {
        const waitMs = this.#messages?.take() ?? 0;
        if (waitMs > 0) return this.#refuseRate(waitMs, payload.ref);
        return this.#seat?.publish(payload);
      }
      case "typing_status": {
        const waitMs = this.#typing.take();
        if (waitMs > 0) return this.#refuseRate(waitMs);
        return this.#seat?.typing(payload.status);
      }
      case "ping": {
        const waitMs = this.#typing.take();
        if (waitMs > 0) return this.#refuseRate(waitMs);
        return this.send(new Frame([encodeEnvelope({ type: "pong", payload: {} })]));
      }
    }
  }

  #refuse(payload: Problem): void {
    this.send(new Frame([encodeEnvelope({ type: "error", payload })]));
  }

  #refuseRate(retry_after_ms: number, ref?: string): void {
    const message = "Too much at once: wait before sending more";
    this.#refuse({ code: "rate_limited", message, ref, retry_after_ms });
  }

  #tooSlow(): void {
    const seat = this.#seat;
    this.#options.hub.metrics.membersTooSlow++;
    if (!seat) return this.close(CLOSE_CODES.tooSlow.code, "Too slow");
    // Not within the loop that sends to everybody: leaving tells the others.
    queueMicrotask(() => seat.expel(CLOSE_CODES.tooSlow.code, "Too slow"));
  }

  #end(): void {
    this.#seat?.leave();
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.onEnd?.();
  }

  /** Whatever is thrown in a handler of a socket would end the process. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      const { logger, room, hub } = this.#options;
      hub.metrics.memberFailures++;
      logger("error", "connection_failed", { room, user: this.user, error });
      this.#seat?.leave();
      this.close(CLOSE_CODES.internalError.code, "Internal error");
    }
  }
}
