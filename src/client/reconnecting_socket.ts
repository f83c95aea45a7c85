/**
 * One connection after another.
 *
 * @module
 */

import { CLOSE_CODES, type DrainingEnvelope, encodeEnvelope } from "../protocol/mod.ts";
import type { PongEnvelope, Problem, ServerEnvelope } from "../protocol/mod.ts";
import { shouldReconnect } from "../protocol/mod.ts";
import type { HistoryClient } from "./history_client.ts";
import { Backoff } from "./backoff.ts";
import type { ConnectionState, ConnectOptions } from "./chat_events.ts";
import { ChatError } from "./chat_error.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Transport, type WireEnd } from "./transport.ts";

const MIN_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** Milliseconds for which a connection must have been live for the backoff to start anew. */
const STABLE_MS = 5_000;
const QUIET_MS = 20_000;
/** Milliseconds in which a silent connection must answer a test. */
const ANSWER_MS = 5_000;
/** Milliseconds in which a server must accept a connection. */
const OPEN_MS = 10_000;
/** Milliseconds that the end waits for the other side to close as well. */
const SETTLE_MS = 2_000;
const PING = [encodeEnvelope({ type: "ping", payload: {} })];

/** What concerns the room; the rest concerns the connection. */
export type RoomEnvelope = Exclude<ServerEnvelope, DrainingEnvelope | PongEnvelope>;

/** What {@linkcode ReconnectingSocket} needs. */
export interface ReconnectingSocketOptions
  extends Pick<ConnectOptions, "reconnect" | "quietMs" | "token" | "WebSocket"> {
  /** Says why an upgrade failed. */
  readonly archive: HistoryClient;
  /** Gives the URL of the next upgrade, with `ws:` or `wss:`. */
  readonly url: () => string;
  /** Takes what the server says about the room. */
  readonly onEnvelope: (envelope: RoomEnvelope) => void;
  /** Hears of what nobody can read. */
  readonly onBadFrame: (problem: Problem) => void;
  /** Hears that a connection is gone, before the state changes. */
  readonly onLost: () => void;
  /** Hears of each change of the state. */
  readonly onState: (state: ConnectionState) => void;
}

/**
 * Keeps a connection: opens it, notices when it is dead, waits, opens the next, until it is closed
 * or the server wants no further try.
 */
export class ReconnectingSocket {
  readonly #options: ReconnectingSocketOptions;
  readonly #WebSocket: typeof WebSocket;
  readonly #backoff: Backoff;
  readonly #heartbeat: Heartbeat;
  readonly #closing = new AbortController();
  readonly #sockets = new Set<Promise<void>>();
  #state: ConnectionState = { status: "connecting" };
  #wire: Transport | undefined;
  #attempt = new AbortController();
  /** While connecting: when to give up. While waiting: when to try again. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #liveSince: number | undefined;
  /** What a server that is about to stop asked for. */
  #comeBackMs: number | undefined;
  #isAsking = false;

  /**
   * @param options Where to connect, and who hears of it.
   * @throws {TypeError} Where there is no WebSocket.
   */
  constructor(options: ReconnectingSocketOptions) {
    this.#options = options;
    const Socket = options.WebSocket ?? globalThis.WebSocket;
    if (!Socket) throw new TypeError('There is no WebSocket here: pass one as "WebSocket"');
    this.#WebSocket = Socket;
    const { minDelayMs = MIN_DELAY_MS, maxDelayMs = MAX_DELAY_MS } = options.reconnect ?? {};
    this.#backoff = new Backoff({ minDelayMs, maxDelayMs });
    const quietMs = options.quietMs ?? QUIET_MS;
    this.#heartbeat = new Heartbeat({
      quietMs,
      answerMs: Math.min(quietMs, ANSWER_MS),
      onTest: () => this.#wire?.send(PING),
      onDead: () => this.lose("The connection is silent"),
    });
  }

  /** How it stands. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Aborted when the connection of now is lost. */
  get attempt(): AbortSignal {
    return this.#attempt.signal;
  }

  /** Aborted, with a {@linkcode ChatError}, when it has ended for good. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Opens the first connection. */
  start(): void {
    const { signal } = this.#closing;
    const online = () => this.#state.status === "waiting" ? this.#open() : this.#heartbeat.test();
    // Browsers tell when the network changes; elsewhere these events never come.
    globalThis.addEventListener?.("online", online, { signal });
    globalThis.addEventListener?.("offline", () => this.#heartbeat.test(), { signal });
    this.#open();
  }

  /** Takes note that the member is in the room and has what it missed. */
  live(): void {
    this.#liveSince = Date.now();
    this.#setState({ status: "live" });
  }

  /** Sends envelopes, if there is a connection. */
  send(envelopes: readonly string[]): void {
    this.#wire?.send(envelopes);
  }

  /** Sends envelopes that the server answers. */
  ask(envelopes: readonly string[]): void {
    this.send(envelopes);
    this.#heartbeat.expect();
  }

  /**
   * Gives the connection up and opens another one later.
   *
   * @param reason Why, for people.
   */
  lose(reason: string): void {
    if (this.#state.status === "closed") return;
    this.#disconnect();
    const delayMs = this.#comeBackMs ?? this.#backoff.next();
    this.#comeBackMs = undefined;
    this.#wait(delayMs, reason);
  }

  /**
   * Ends for good.
   *
   * @param code The close code for the server.
   * @param reason The reason for the server.
   * @throws {DOMException} Where WebSocket takes no such code or reason.
   */
  close(code: number, reason: string): void {
    if (this.#state.status === "closed") return;
    this.#wire?.drop(code, reason);
    this.#finish(code, reason);
  }

  /** Settles when all sockets are closed, or after 2 s with those that get no answer. */
  async settled(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, SETTLE_MS));
    await Promise.race([Promise.all(this.#sockets), timeout]);
    clearTimeout(timer);
  }

  #open(): void {
    clearTimeout(this.#timer);
    this.#attempt = new AbortController();
    const { signal } = this.#attempt;
    this.#setState({ status: "connecting" });
    void this.#dial(signal);
  }

  async #dial(signal: AbortSignal): Promise<void> {
    const { token: given, url, onBadFrame } = this.#options;
    let token: string | undefined;
    try {
      token = typeof given === "function" ? await given() : given;
    } catch (error) {
      if (!signal.aborted) this.lose(`There is no token: ${messageOf(error)}`);
      return;
    }
    if (signal.aborted) return;
    try {
      const wire = this.#wire = new Transport({
        url: url(),
        token,
        WebSocket: this.#WebSocket,
        onOpen: () => this.#opened(),
        onFrame: () => this.#heartbeat.heard(),
        onEnvelope: (envelope) => this.#take(envelope),
        onBadFrame,
        onEnd: (end) => this.#ended(end),
      });
      this.#sockets.add(wire.closed);
      wire.closed.then(() => this.#sockets.delete(wire.closed));
    } catch (error) {
      return this.#finish(CLOSE_CODES.notAllowed.code, messageOf(error));
    }
    const openMs = Math.min(OPEN_MS, 2 * (this.#options.quietMs ?? QUIET_MS));
    this.#timer = setTimeout(() => this.lose("The server does not answer"), openMs);
  }

  #opened(): void {
    clearTimeout(this.#timer);
    this.#heartbeat.start();
  }

  #take(envelope: ServerEnvelope): void {
    if (envelope.type === "draining") this.#comeBackMs = envelope.payload.reconnect_after_ms;
    else if (envelope.type !== "pong") this.#options.onEnvelope(envelope);
  }

  #ended({ code, reason, hasOpened }: WireEnd): void {
    // What a server no longer lets in with an old token it may let in with the next one.
    const mayRenew = typeof this.#options.token === "function" &&
      this.#liveSince !== undefined && code === CLOSE_CODES.notAllowed.code;
    if (!shouldReconnect(code) && !mayRenew) return this.#finish(code, reason);
    this.lose(reason || "The connection was lost");
    if (!hasOpened) void this.#askWhy();
  }

  /** A WebSocket that was refused does not tell why: asks, and stops where there is no point. */
  async #askWhy(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { archive, url } = this.#options;
    const attempt = this.#attempt;
    try {
      const why = await archive.whyRefused(url().replace(/^ws/, "http"), this.closing);
      if (!why || this.#state.status === "live" || this.#state.status === "closed") return;
      if (!why.temporary) return this.#finish(CLOSE_CODES.notAllowed.code, why.message);
      if (this.#attempt !== attempt || this.#state.status !== "waiting") return;
      const leftMs = Math.max(0, this.#state.retryAt - Date.now());
      this.#wait(leftMs + (why.retryAfterMs ?? 0), why.message);
    } catch (error) {
      // Not to be reached by HTTP either: the next try will tell.
      if (!(error instanceof ChatError)) throw error;
    } finally {
      this.#isAsking = false;
    }
  }

  #wait(delayMs: number, reason: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), delayMs);
    this.#setState({ status: "waiting", retryAt: Date.now() + delayMs, reason });
  }

  #disconnect(): void {
    this.#attempt.abort();
    clearTimeout(this.#timer);
    this.#heartbeat.stop();
    this.#wire?.drop();
    this.#wire = undefined;
    const liveSince = this.#liveSince;
    if (liveSince !== undefined && Date.now() - liveSince >= STABLE_MS) this.#backoff.reset();
    this.#liveSince = undefined;
    this.#options.onLost();
  }

  #finish(code: number, reason: string): void {
    this.#disconnect();
    const message = `The connection is closed: ${reason || code}`;
    this.#closing.abort(new ChatError(message, { code: "closed", temporary: false }));
    this.#setState({ status: "closed", code, reason });
  }

  #setState(state: ConnectionState): void {
    if (state.status === "connecting" && this.#state.status === "connecting") return;
    this.#state = state;
    this.#options.onState(state);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
