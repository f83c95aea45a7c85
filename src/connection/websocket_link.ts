/**
 * The life of a WebSocket connection, whatever is spoken over it.
 *
 * @module
 */

import { SOCKET_MS } from "../access/processor_costs.ts";
import { CLOSE_CODES } from "../protocol/mod.ts";
import { closeNameOf } from "../telemetry/metrics.ts";
import type { MonitoredConnection } from "./connection_monitor.ts";
import { ExpiryGate } from "./expiry_gate.ts";
import { type CloseName, MEMBER_CAUSES } from "./inbound.ts";
import { FramePacer } from "./frame_pacer.ts";
import type { ConnectionStatus, LinkHandler, LinkOptions } from "./link_handler.ts";
import { SocketWriter } from "./socket_writer.ts";
import type { Upgraded } from "./upgrade.ts";

/**
 * A WebSocket with its writer, from the handshake to the end: protocols 1 and 2 are spoken
 * over it alike.
 */
export class WebSocketLink implements MonitoredConnection {
  readonly address: string | undefined;
  /** Writes to the socket. */
  readonly writer: SocketWriter;
  readonly #socket: WebSocket;
  readonly #unopenedReason: () => string;
  readonly #options: LinkOptions;
  readonly #handler: LinkHandler;
  #status: ConnectionStatus = "connecting";
  /** What waited for the peer when it was closed: Deno then tells 0, and holds it all the same. */
  #keptBytes = 0;
  readonly #gate: ExpiryGate;
  readonly #frames: FramePacer;

  /**
   * Listens to a socket.
   *
   * @param upgraded The socket, not open yet.
   * @param options Whose connection it is.
   * @param handler What is spoken over it.
   */
  constructor(
    upgraded: Pick<Upgraded<string>, "socket" | "unopenedReason">,
    options: LinkOptions,
    handler: LinkHandler,
  ) {
    const { services: { hub, monitor, frameTurns, scheduler }, address, processor } = options;
    const { socket, unopenedReason } = upgraded;
    this.address = address;
    this.#socket = socket;
    this.#unopenedReason = unopenedReason;
    this.#options = options;
    this.#handler = handler;
    this.writer = new SocketWriter({
      socket,
      scheduler,
      isPaced: handler.room === undefined,
      metrics: hub.metrics,
      hardLimitBytes: () => monitor.hardLimitOf(this),
      onRelease: (changes) => this.guard(() => handler.release(changes)),
      onTooSlow: () => this.tooSlow(),
      onFailure: (error) => this.#fail(error),
    });
    const end = this.end.bind(this);
    const guard = this.guard.bind(this);
    const receive = (data: unknown) => this.isOpen && handler.receive(data);
    this.#gate = new ExpiryGate({ lifetime: handler.lifetime, receive, end, guard });
    const take = (data: unknown) => guard(() => this.isOpen && this.#gate.take(data));
    const key = address ?? "";
    this.#frames = new FramePacer({ processor, turns: frameTurns, key, receive: take, end });
    socket.onopen = () => this.guard(() => this.#opened());
    socket.onmessage = ({ data }) => this.isOpen && this.#frames.take(data);
    // May come twice, or never.
    socket.onclose = ({ wasClean }) => this.guard(() => this.#ended(wasClean ? "left" : "lost"));
    socket.onerror = (event) => {
      event.preventDefault();
      this.guard(() => this.#ended("lost"));
    };
    monitor.add(this);
  }

  /** Whether messages go both ways. */
  get isOpen(): boolean {
    return this.#status === "open";
  }

  /** Whether something can be sent. */
  get canSend(): boolean {
    return this.#status === "open" && this.#socket.readyState === WebSocket.OPEN;
  }

  get isOpening(): boolean {
    return this.#status === "connecting";
  }

  get waitingBytes(): number {
    return this.#status === "closing" ? this.#keptBytes : this.writer.queue.waitingBytes;
  }

  get expiresAt(): number {
    return this.#handler.lifetime.expiresAt;
  }

  /**
   * Closes the connection from this side. A second call does nothing.
   *
   * @param code One of the close codes.
   * @param reason For people.
   */
  close(code: number, reason: string): void {
    if (this.#status === "closing" || this.#status === "closed") return;
    // What it was sent so far comes before its end, unless it takes nothing anyhow.
    if (code !== CLOSE_CODES.tooSlow.code) this.writer.flush();
    // Where that failed, it is closed by now.
    if (!this.isOpen && !this.isOpening) return;
    this.#stop();
    this.#keptBytes = this.#socket.bufferedAmount;
    this.#status = "closing";
    const { services: { hub: { metrics }, logger }, onClosing, user } = this.#options;
    onClosing?.();
    const name = closeNameOf(code);
    metrics.count("closed", name);
    if (MEMBER_CAUSES.has(name)) {
      const { address } = this;
      const { room } = this.#handler;
      logger("warn", "member_closed", { room, user, address, code, reason });
    }
    // A peer that does not read never finishes closing: nothing here waits for it.
    this.#socket.close(code, reason);
  }

  tooSlow(): void {
    if (this.#status !== "open") return;
    this.#options.services.hub.metrics.membersTooSlow++;
    // Nothing more is kept for it. The subscription ends later, not within the loop that sends to all.
    this.close(CLOSE_CODES.tooSlow.code, "Too slow");
    queueMicrotask(() => this.guard(() => this.#handler.leave()));
  }

  expire(): void {
    this.#gate.expire();
  }

  neverOpened(): void {
    const { services: { logger }, user } = this.#options;
    const where = { room: this.#handler.room, user, address: this.address };
    logger("warn", "socket_never_opened", { ...where, reason: this.#unopenedReason() });
    this.#ended("neverOpened");
  }

  sendAway(members: number): void {
    if (this.#status === "open") this.guard(() => this.#handler.sendAway?.(members));
  }

  /**
   * Ends the connection.
   *
   * @param name Which end it comes to.
   * @param reason For people.
   */
  end(name: CloseName, reason: string): void {
    this.#handler.disconnect(CLOSE_CODES[name].code, reason);
  }

  /**
   * Runs a handler of the socket: what it throws would end the process.
   *
   * @param action The handler.
   */
  guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const { services: { logger, hub }, user } = this.#options;
    hub.metrics.memberFailures++;
    logger("error", "connection_failed", { room: this.#handler.room, user, error });
    this.#handler.leave();
    this.close(CLOSE_CODES.internalError.code, "Internal error");
  }

  #opened(): void {
    // It took so long that its place was given to another.
    if (this.#status !== "connecting") return this.#socket.close(CLOSE_CODES.goingAway.code);
    this.#status = "open";
    this.#options.processor?.charge(SOCKET_MS);
    this.#handler.opened();
  }

  #ended(why: "left" | "lost" | "neverOpened"): void {
    this.#handler.leave();
    if (this.#status === "closed") return;
    const { services: { hub: { metrics }, monitor }, onEnd } = this.#options;
    if (this.#status !== "closing") metrics.count("closed", why);
    this.#status = "closed";
    this.#stop();
    monitor.delete(this);
    onEnd?.();
  }

  #stop(): void {
    this.#frames.stop();
    this.writer.stop();
  }
}
