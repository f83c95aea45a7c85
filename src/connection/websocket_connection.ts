/**
 * A WebSocket connection: what it sends, what it receives, and how it ends.
 *
 * @module
 */

import { EnvelopeBatch } from "../hub/envelope_batch.ts";
import { type CloseName, Inbound, type InboundHandler, MEMBER_CAUSES } from "./inbound.ts";
import { closeNameOf } from "../telemetry/metrics.ts";
import type { JoinOptions } from "../hub/joining.ts";
import { CLOSE_CODES, encodeEnvelope, PROTOCOL_V1_LINES } from "../protocol/mod.ts";
import type { ClientEnvelope, Problem } from "../protocol/mod.ts";
import { OutboundQueue } from "./outbound_queue.ts";
import { TokenRefresh, type TokenRefreshOptions } from "./token_refresh.ts";
import type { Member, Subscription } from "../hub/member.ts";
import type { MonitoredConnection } from "./connection_monitor.ts";
import type { ConnectionServices } from "./services.ts";
import type { ScheduledWriter } from "./write_scheduler.ts";
import { upgrade, type Upgraded } from "./upgrade.ts";

/** Turns in which much of what waits is sent: where more texts wait, several go at once. */
const TURNS = 16;
/** UTF-16 code units of a frame from which on many do not get it at once. */
const LONG_FRAME = 2_048;

/**
 * Where a connection stands: the handshake is answered, messages go both ways, this side has closed
 * it, or it is gone. A peer that does not read stays in `closing` for as long as it likes.
 */
export type ConnectionStatus = "connecting" | "open" | "closing" | "closed";

/** What a connection is for. */
export interface ConnectionOptions extends JoinOptions, TokenRefreshOptions {
  /** The services of the server. */
  readonly services: ConnectionServices;
  /** Whose share of the budget its bytes count against. @default {undefined} its own */
  readonly address?: string;
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
  const upgraded = upgrade(request, options.idleTimeoutSeconds);
  const { socket, response } = upgraded;
  try {
    new WebSocketConnection(upgraded, options);
  } catch (error) {
    options.services.logger("error", "connection_failed", { room: options.room, error });
    socket.onopen = () => socket.close(CLOSE_CODES.internalError.code);
    options.onEnd?.();
  }
  return response;
}

/** A member whose connection is a WebSocket. */
export class WebSocketConnection
  implements Member, InboundHandler, MonitoredConnection, ScheduledWriter {
  readonly user: string;
  readonly address: string | undefined;
  readonly #socket: WebSocket;
  readonly #isLines: boolean;
  readonly #unopenedReason: string;
  readonly #options: ConnectionOptions;
  readonly #inbound: Inbound;
  readonly #tokenRefresh: TokenRefresh;
  readonly #outbound: OutboundQueue;
  #subscription: Subscription | undefined;
  #status: ConnectionStatus = "connecting";
  /** What waited for the peer when it was closed: Deno then tells 0, and holds it all the same. */
  #keptBytes = 0;

  /**
   * Made by {@linkcode connect}.
   *
   * @param upgraded The socket, not open yet, and what it speaks.
   * @param options What it is for.
   */
  constructor(upgraded: Omit<Upgraded, "response">, options: ConnectionOptions) {
    const { user, services: { hub, monitor }, takeOfUser, address } = options;
    const { socket, protocol, unopenedReason } = upgraded;
    this.user = user;
    this.address = address;
    this.#socket = socket;
    this.#isLines = protocol === PROTOCOL_V1_LINES;
    this.#unopenedReason = unopenedReason;
    this.#options = options;
    this.#tokenRefresh = new TokenRefresh(options);
    this.#inbound = new Inbound({ limits: hub.limits, isLines: this.#isLines, takeOfUser });
    this.#outbound = new OutboundQueue({
      metrics: hub.metrics,
      bufferedBytes: () => socket.bufferedAmount,
      hardLimitBytes: () => monitor.hardLimitOf(this),
      onRelease: (envelopes) =>
        this.#guard(() => this.#write(this.#isLines ? [envelopes.join("\n")] : envelopes, false)),
      onTooSlow: () => this.tooSlow(),
    });
    socket.onopen = () => this.#guard(() => this.#opened());
    socket.onmessage = ({ data }) => this.#guard(() => this.#receive(data));
    // May come twice, or never.
    socket.onclose = ({ wasClean }) => this.#guard(() => this.#ended(wasClean ? "left" : "lost"));
    socket.onerror = (event) => {
      event.preventDefault();
      this.#guard(() => this.#ended("lost"));
    };
    monitor.add(this);
  }

  get isOpening(): boolean {
    return this.#status === "connecting";
  }

  get waitingBytes(): number {
    return this.#status === "closing" ? this.#keptBytes : this.#outbound.waitingBytes;
  }

  get isBehind(): boolean {
    return this.#socket.bufferedAmount > 0;
  }

  get expiresAt(): number {
    return this.#tokenRefresh.expiresAt;
  }

  get isOver(): boolean {
    return this.#status !== "open" || this.#subscription?.state === "left";
  }

  send(batch: EnvelopeBatch): void {
    if (this.#status !== "open" || this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.#outbound.admits(batch)) return;
    const texts = this.#isLines ? [batch.lines] : batch.envelopes;
    const isLong = texts.length > 1 || batch.length > LONG_FRAME;
    this.#write(texts, batch.forMany && isLong);
  }

  get nextLength(): number {
    return this.#outbound.nextLength;
  }

  sendNext(): boolean {
    const texts = this.#outbound.take(Math.ceil(this.#outbound.size / TURNS));
    this.#guard(() => texts.forEach((text) => this.#socket.send(text)));
    return this.#outbound.size > 0;
  }

  close(code: number, reason: string): void {
    if (this.#status === "closing" || this.#status === "closed") return;
    // What it was sent so far comes before its end, unless it takes nothing anyhow.
    if (code !== CLOSE_CODES.tooSlow.code) {
      for (const text of this.#outbound.take(Infinity)) this.#socket.send(text);
    }
    this.#outbound.close();
    this.#keptBytes = this.#socket.bufferedAmount;
    this.#status = "closing";
    const { services: { hub: { metrics }, logger }, room, onClosing } = this.#options;
    onClosing?.();
    const name = closeNameOf(code);
    metrics.count("closed", name);
    if (MEMBER_CAUSES.has(name)) {
      const { user, address } = this;
      logger("warn", "member_closed", { room, user, address, code, reason });
    }
    // A peer that does not read never finishes closing: nothing here waits for it.
    this.#socket.close(code, reason);
  }

  drained(): Promise<void> {
    return this.#outbound.drained();
  }

  tooSlow(): void {
    if (this.#status !== "open") return;
    this.#options.services.hub.metrics.membersTooSlow++;
    // Closed now, so that nothing more is kept for it. The subscription ends later, not within the
    // loop that sends to everybody: leaving tells the others.
    this.close(CLOSE_CODES.tooSlow.code, "Too slow");
    queueMicrotask(() => this.#guard(() => this.#subscription?.leave()));
  }

  expire(): void {
    this.end("notAllowed", "The token has expired");
  }

  neverOpened(): void {
    const { services: { logger }, room } = this.#options;
    const { address, user } = this;
    const reason = this.#unopenedReason;
    logger("warn", "socket_never_opened", { room, user, address, reason });
    this.#ended("neverOpened");
  }

  accept({ type, payload }: ClientEnvelope): void {
    switch (type) {
      case "chat_message":
        return this.#subscription?.publish(payload);
      case "typing_status":
        return this.#subscription?.typing(payload.status);
      case "authenticate":
        return this.#refreshToken(payload.token);
      case "ping":
        return this.send(new EnvelopeBatch([encodeEnvelope({ type: "pong", payload: {} })]));
    }
  }

  refuse(payload: Problem): void {
    this.#options.services.hub.metrics.count("rejected", payload.code);
    this.send(new EnvelopeBatch([encodeEnvelope({ type: "error", payload })]));
  }

  end(name: CloseName, reason: string): void {
    const { code } = CLOSE_CODES[name];
    if (this.#subscription) this.#subscription.disconnect(code, reason);
    else this.close(code, reason);
  }

  #write(texts: readonly string[], inTurns: boolean): void {
    if (this.#outbound.size > 0 || inTurns) {
      if (this.#outbound.size === 0) this.#options.services.scheduler.add(this);
      this.#outbound.push(texts);
    } else for (const text of texts) this.#socket.send(text);
  }

  #opened(): void {
    const { services: { hub }, room } = this.#options;
    // It took so long that its place was given to another.
    if (this.#status !== "connecting") return this.#socket.close(CLOSE_CODES.goingAway.code);
    this.#status = "open";
    this.#subscription = hub.join(room, this, this.#options);
    // A hub that drains has closed this member before it had a subscription.
    if (this.isOver) this.#subscription.leave();
  }

  #receive(data: unknown): void {
    if (!this.#subscription || this.isOver) return;
    // The monitor checks once a second; nothing may be said in between.
    if (this.expiresAt <= Date.now()) return this.expire();
    this.#inbound.take(data, this);
  }

  #refreshToken(token: string): void {
    const refuse = (problem: Problem) => this.#guard(() => this.refuse(problem));
    void this.#tokenRefresh.take(token, refuse);
  }

  #ended(why: "left" | "lost" | "neverOpened"): void {
    this.#subscription?.leave();
    if (this.#status === "closed") return;
    const { services: { hub: { metrics }, monitor }, onEnd } = this.#options;
    if (this.#status !== "closing") metrics.count("closed", why);
    this.#status = "closed";
    this.#outbound.close();
    monitor.delete(this);
    onEnd?.();
  }

  /** Runs a handler of the socket: what it throws would end the process. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      const { services: { logger, hub }, room } = this.#options;
      hub.metrics.memberFailures++;
      logger("error", "connection_failed", { room, user: this.user, error });
      this.#subscription?.leave();
      this.close(CLOSE_CODES.internalError.code, "Internal error");
    }
  }
}
