/**
 * A WebSocket connection to one room, in protocol 1.
 *
 * @module
 */

import type { SharedRates } from "../access/shared_rates.ts";
import { joinCostMs } from "../access/processor_costs.ts";
import { displayNameOf } from "../access/authorization.ts";
import { EnvelopeBatch } from "../hub/envelope_batch.ts";
import type { JoinOptions } from "../hub/joining.ts";
import type { Member, Subscription } from "../hub/member.ts";
import type { ReaderMarks } from "../hub/read_marks.ts";
import {
  CLOSE_CODES,
  encodeEnvelope,
  HISTORY_DEFAULT,
  PROTOCOL_V1,
  PROTOCOL_V1_LINES,
} from "../protocol/mod.ts";
import type { ClientEnvelope, Problem, Subprotocol } from "../protocol/mod.ts";
import { type CloseName, Inbound, type InboundHandler } from "./inbound.ts";
import type { LinkHandler, LinkOptions } from "./link_handler.ts";
import type { HeldChange } from "./outbound_queue.ts";
import { TokenRefresh, type TokenRefreshOptions } from "./token_refresh.ts";
import { upgrade, type Upgraded } from "./upgrade.ts";
import { WebSocketLink } from "./websocket_link.ts";

/** UTF-16 code units of a frame from which on many do not get it at once. */
const LONG_FRAME = 2_048;
/** What is spoken; the first is taken for a client that offers none. */
const SUBPROTOCOLS: readonly Subprotocol[] = [PROTOCOL_V1, PROTOCOL_V1_LINES];

/** What a connection is for. */
export interface ConnectionOptions extends JoinOptions, LinkOptions, TokenRefreshOptions {
  /** The services of the server. */
  readonly services: LinkOptions["services"];
  /** The room. */
  readonly room: string;
  /** Whose connection it is. */
  readonly user: string;
  /** A name to show beside the user. */
  readonly name?: string;
  /** The read marks of its user. @default {undefined} none */
  readonly marks?: ReaderMarks;
  /** The rates that it shares with other connections. @default {undefined} none */
  readonly rates?: SharedRates;
  /**
   * Seconds without a sign of life after which the peer is taken for dead; it is pinged halfway.
   *
   * @default {30}
   */
  readonly idleTimeoutSeconds?: number;
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
  const upgraded = upgrade(request, SUBPROTOCOLS, options.idleTimeoutSeconds);
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
export class WebSocketConnection implements Member, InboundHandler, LinkHandler {
  readonly user: string;
  name: string | undefined;
  readonly room: string;
  readonly address: string | undefined;
  /** The socket, and what waits for it. */
  readonly link: WebSocketLink;
  readonly #isLines: boolean;
  readonly #options: ConnectionOptions;
  readonly #inbound: Inbound;
  readonly lifetime: TokenRefresh;
  #subscription: Subscription | undefined;

  /**
   * Made by {@linkcode connect}.
   *
   * @param upgraded The socket, not open yet, and what it speaks.
   * @param options What it is for.
   */
  constructor(upgraded: Omit<Upgraded<Subprotocol>, "response">, options: ConnectionOptions) {
    const { user, room, address, services: { hub }, rates } = options;
    this.user = user;
    this.name = options.name;
    this.room = room;
    this.address = address;
    this.#isLines = upgraded.protocol === PROTOCOL_V1_LINES;
    this.#options = options;
    this.lifetime = new TokenRefresh({
      ...options,
      onRefresh: (renewal) => {
        const { role } = renewal;
        this.name = displayNameOf(renewal);
        this.#subscription?.refreshName();
        if (role !== undefined && role !== "none") this.#subscription?.setRole(role);
      },
    });
    this.#inbound = new Inbound({ limits: hub.limits, isLines: this.#isLines, rates });
    this.link = new WebSocketLink(upgraded, { ...options, processor: rates?.processor }, this);
  }

  get marks(): ReaderMarks | undefined {
    return this.#options.marks;
  }

  get waitingBytes(): number {
    return this.link.waitingBytes;
  }

  get isOver(): boolean {
    return !this.link.isOpen || this.#subscription?.state === "left";
  }

  send(batch: EnvelopeBatch): void {
    const { link } = this;
    if (!link.canSend || !link.writer.queue.admits(batch)) return;
    const texts = this.#isLines ? [batch.lines] : batch.envelopes;
    const isLong = texts.length > 1 || batch.length > LONG_FRAME;
    link.writer.write(texts, batch.forMany && isLong);
  }

  release(changes: readonly HeldChange[]): void {
    const envelopes = changes.map(({ envelope }) => envelope);
    this.link.writer.write(this.#isLines ? [envelopes.join("\n")] : envelopes, false);
  }

  close(code: number, reason: string): void {
    this.link.close(code, reason);
  }

  drained(): Promise<void> {
    return this.link.writer.queue.drained();
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
    this.link.end(name, reason);
  }

  disconnect(code: number, reason: string): void {
    if (this.#subscription) this.#subscription.disconnect(code, reason);
    else this.close(code, reason);
  }

  leave(): void {
    this.#subscription?.leave();
  }

  opened(): void {
    const { services: { hub }, room } = this.#options;
    this.#options.rates?.processor?.charge(joinCostMs(this.#options.history ?? HISTORY_DEFAULT));
    this.#subscription = hub.join(room, this, this.#options);
    // A hub that drains has closed this member before it had a subscription.
    if (this.isOver) this.#subscription.leave();
  }

  receive(data: unknown): void {
    if (this.#subscription && !this.isOver) this.#inbound.take(data, this);
  }

  #refreshToken(token: string): void {
    const refuse = (problem: Problem) => this.link.guard(() => this.refuse(problem));
    void this.lifetime.take(token, refuse);
  }
}
