/**
 * One WebSocket: what it may send, what it gets, and how it ends.
 *
 * @module
 */

import { EnvelopeBatch } from "../hub/envelope_batch.ts";
import type { Hub } from "../hub/hub.ts";
import { type CloseName, Inbound, type InboundHandler } from "./inbound.ts";
import type { Logger } from "../telemetry/logger.ts";
import { closeNameOf } from "../telemetry/metrics.ts";
import type { JoinOptions } from "../hub/joining.ts";
import { CLOSE_CODES, encodeEnvelope, PROTOCOL_V1_LINES } from "../protocol/mod.ts";
import type { ClientEnvelope, Problem, Subprotocol } from "../protocol/mod.ts";
import { TokenRefresh, type TokenRefreshOptions } from "./token_refresh.ts";
import type { Member, Subscription } from "../hub/subscription.ts";
import type { ConnectionMonitor, MonitoredConnection } from "./connection_monitor.ts";
import type { ScheduledWriter, WriteScheduler } from "./write_scheduler.ts";
import { upgrade } from "./upgrade.ts";

/** Bytes waiting for a member above which it gets no typing and no presence; never above a part. */
const SOFT_LIMIT_BYTES = 256 * 1024;
const SOFT_LIMIT_PART = 4;
/** Bytes of UTF-8 for a UTF-16 code unit, at worst. */
const BYTES_PER_UNIT = 3;
/** WriteScheduler in which much of what waits is to be sent: where more texts wait, several go at once. */
const TURNS = 16;
/** UTF-16 code units of a frame from which on many do not get it at once. */
const LONG_FRAME = 2_048;
/** Milliseconds that a member has to take a page of a long replay. */
const DRAIN_TIMEOUT_MS = 30_000;

/** What a connection is for. */
export interface ConnectionOptions extends JoinOptions, TokenRefreshOptions {
  /** The hub to join. */
  readonly hub: Hub;
  /** The room, already checked. */
  readonly room: string;
  /** Whose connection it is, already checked. */
  readonly user: string;
  /** Takes what an operator should know. */
  readonly logger: Logger;
  /** Looks after what waits for it, and after its end. */
  readonly monitor: ConnectionMonitor;
  /** Sends what takes more than one frame for many connections. */
  readonly scheduler: WriteScheduler;
  /** Takes from what the user may send on all connections: milliseconds to wait, or 0. */
  readonly takeOfUser?: () => number;
  /**
   * Seconds without a sign of life after which the peer is taken for dead; it is pinged halfway.
   *
   * @default {30}
   */
  readonly idleTimeoutSeconds?: number;
  /** Called once when it is closed from here; its peer may stay for long. */
  readonly onClosing?: () => void;
  /** Called once when the connection has ended. */
  readonly onEnd?: () => void;
}

/**
 * Upgrades a request and joins the room with the new connection.
 *
 * Everything that can be refused must have been refused before: after {@linkcode upgrade} only its
 * response may be returned.
 *
 * @param request A request to upgrade to a WebSocket.
 * @param options What the connection is for.
 * @returns The response, to be returned to `Deno.serve` untouched.
 * @throws {TypeError} Where the request is no valid WebSocket handshake; then nothing happened.
 */
export function connect(request: Request, options: ConnectionOptions): Response {
  const { socket, response, protocol } = upgrade(request, options.idleTimeoutSeconds);
  try {
    new WebSocketConnection(socket, protocol, options);
  } catch (error) {
    options.logger("error", "connection_failed", { room: options.room, error });
    socket.onopen = () => socket.close(CLOSE_CODES.internalError.code);
    options.onEnd?.();
  }
  return response;
}

/** A member whose connection is a WebSocket. */
export class WebSocketConnection
  implements Member, InboundHandler, MonitoredConnection, ScheduledWriter {
  readonly user: string;
  readonly #socket: WebSocket;
  readonly #isLines: boolean;
  readonly #options: ConnectionOptions;
  readonly #inbound: Inbound;
  readonly #tokenRefresh: TokenRefresh;
  #subscription: Subscription | undefined;
  #isClosing = false;
  /** What waited for the peer when it was closed: Deno then tells 0, and holds it all the same. */
  #heldBytes = 0;
  #hasEnded = false;
  /** Bytes that wait for the peer at most: asking the socket each time would cost a tenth more. */
  #waitingAtMost = 0;
  /** Texts that wait for their turn, each for a frame of its own. */
  #queue: string[] = [];
  #queuedLength = 0;

  /**
   * Made by {@linkcode connect}.
   *
   * @param socket The socket, not open yet.
   * @param protocol What it speaks.
   * @param options What it is for.
   */
  constructor(socket: WebSocket, protocol: Subprotocol, options: ConnectionOptions) {
    const { user, hub, takeOfUser, monitor } = options;
    this.user = user;
    this.#socket = socket;
    this.#isLines = protocol === PROTOCOL_V1_LINES;
    this.#options = options;
    this.#tokenRefresh = new TokenRefresh(options);
    this.#inbound = new Inbound({ limits: hub.limits, isLines: this.#isLines, takeOfUser });
    socket.onopen = () => this.#guard(() => this.#join());
    socket.onmessage = ({ data }) => this.#guard(() => this.#take(data));
    // May come twice, or never.
    socket.onclose = ({ wasClean }) => this.#guard(() => this.#end(wasClean ? "left" : "lost"));
    socket.onerror = (event) => {
      event.preventDefault();
      this.#guard(() => this.#end("lost"));
    };
    monitor.add(this);
  }

  get waitingBytes(): number {
    return this.#isClosing ? this.#heldBytes : this.#socket.bufferedAmount + this.#queuedLength;
  }

  get isBehind(): boolean {
    return this.#socket.bufferedAmount > 0;
  }

  get expiresAt(): number {
    return this.#tokenRefresh.expiresAt;
  }

  get isOver(): boolean {
    return this.#isClosing || this.#subscription?.state === "left";
  }

  send(frame: EnvelopeBatch): void {
    const socket = this.#socket;
    if (socket.readyState !== WebSocket.OPEN) return;
    const hardLimit = this.#options.monitor.hardLimitBytes;
    const softLimit = Math.min(SOFT_LIMIT_BYTES, hardLimit / SOFT_LIMIT_PART);
    const limit = frame.ephemeral ? softLimit : hardLimit;
    if (this.#waitingAtMost > limit) {
      this.#waitingAtMost = this.waitingBytes;
      if (this.#waitingAtMost > hardLimit) return this.tooSlow();
      if (this.#waitingAtMost > limit) {
        this.#options.hub.metrics.framesShed++;
        return;
      }
    }
    this.#waitingAtMost += BYTES_PER_UNIT * frame.length;
    const texts = this.#isLines ? [frame.lines] : frame.envelopes;
    const isLong = texts.length > 1 || frame.length > LONG_FRAME;
    if (this.#queue.length > 0 || (frame.forMany && isLong)) this.#enqueue(texts);
    else for (const text of texts) socket.send(text);
  }

  get nextLength(): number {
    return this.#queue[0]?.length ?? 0;
  }

  sendNext(): boolean {
    const texts = this.#queue.splice(0, Math.ceil(this.#queue.length / TURNS));
    for (const text of texts) this.#queuedLength -= text.length;
    this.#guard(() => texts.forEach((text) => this.#socket.send(text)));
    return this.#queue.length > 0;
  }

  close(code: number, reason: string): void {
    if (this.#isClosing || this.#socket.readyState > WebSocket.OPEN) return;
    // What it was sent so far comes before its end, unless it takes nothing anyhow.
    if (code !== CLOSE_CODES.tooSlow.code) {
      for (const text of this.#queue) {
        this.#socket.send(text);
      }
    }
    this.#emptyQueue();
    this.#heldBytes = this.#socket.bufferedAmount;
    this.#isClosing = true;
    const { hub: { metrics }, logger, room, onClosing } = this.#options;
    onClosing?.();
    const name = closeNameOf(code);
    metrics.count("closed", name);
    if (CAUSES.has(name)) {
      logger("warn", "member_closed", { room, user: this.user, code, reason });
    }
    // A peer that does not read never finishes closing: nothing here waits for it.
    this.#socket.close(code, reason);
  }

  async drained(): Promise<void> {
    const startedAt = performance.now();
    let pauseMs = 1;
    while (this.waitingBytes > 0) {
      if (performance.now() - startedAt > DRAIN_TIMEOUT_MS) return this.tooSlow();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(100, pauseMs * 2);
    }
  }

  tooSlow(): void {
    if (this.#isClosing) return;
    this.#options.hub.metrics.membersTooSlow++;
    // Closed now, so that nothing more is kept for it; the seat not within the loop that sends to
    // everybody: leaving tells the others.
    this.close(CLOSE_CODES.tooSlow.code, "Too slow");
    queueMicrotask(() => this.#guard(() => this.#subscription?.leave()));
  }

  expire(): void {
    this.end("notAllowed", "The token has expired");
  }

  accept({ type, payload }: ClientEnvelope): void {
    switch (type) {
      case "chat_message":
        return this.#subscription?.publish(payload);
      case "typing_status":
        return this.#subscription?.typing(payload.status);
      case "authenticate":
        return this.#renew(payload.token);
      case "ping":
        return this.send(new EnvelopeBatch([encodeEnvelope({ type: "pong", payload: {} })]));
    }
  }

  refuse(payload: Problem): void {
    this.#options.hub.metrics.count("rejected", payload.code);
    this.send(new EnvelopeBatch([encodeEnvelope({ type: "error", payload })]));
  }

  end(name: CloseName, reason: string): void {
    const { code } = CLOSE_CODES[name];
    if (this.#subscription) this.#subscription.disconnect(code, reason);
    else this.close(code, reason);
  }

  #enqueue(texts: readonly string[]): void {
    if (this.#queue.length === 0) this.#options.scheduler.add(this);
    for (const text of texts) {
      this.#queue.push(text);
      this.#queuedLength += text.length;
    }
  }

  #emptyQueue(): void {
    this.#queue = [];
    this.#queuedLength = 0;
  }

  #join(): void {
    const { hub, room } = this.#options;
    this.#subscription = hub.join(room, this, this.#options);
    if (this.#socket.readyState !== WebSocket.OPEN) this.#subscription.leave();
  }

  #take(data: unknown): void {
    if (!this.#subscription || this.isOver) return;
    // The supervisor looks once a second; nothing may be said in between.
    if (this.expiresAt <= Date.now()) return this.expire();
    this.#inbound.take(data, this);
  }

  #renew(token: string): void {
    const refuse = (problem: Problem) => this.#guard(() => this.refuse(problem));
    void this.#tokenRefresh.take(token, refuse);
  }

  #end(why: "left" | "lost"): void {
    this.#subscription?.leave();
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { hub: { metrics }, monitor, onEnd } = this.#options;
    if (!this.#isClosing) metrics.count("closed", why);
    this.#isClosing = true;
    this.#heldBytes = 0;
    this.#emptyQueue();
    monitor.delete(this);
    onEnd?.();
  }

  /** Whatever is thrown in a handler of a socket would end the process. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      const { logger, room, hub } = this.#options;
      hub.metrics.memberFailures++;
      logger("error", "connection_failed", { room, user: this.user, error });
      this.#subscription?.leave();
      this.close(CLOSE_CODES.internalError.code, "Internal error");
    }
  }
}

/** The ends that an operator hears of: those that a member brought about. */
const CAUSES: ReadonlySet<string> = new Set<CloseName>([
  "tooBig",
  "tooSlow",
  "notAllowed",
  "tooManyBadFrames",
]);
