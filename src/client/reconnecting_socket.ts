/**
 * A connection that is replaced when it is lost.
 *
 * @module
 */

import { CLOSE_CODES, encodeEnvelope, type ServerEnvelopeV2 } from "../protocol/mod.ts";
import { Backoff } from "./backoff.ts";
import type { ConnectionState, ConnectOptions } from "./chat_events.ts";
import { ChatError } from "./chat_error.ts";
import { checkClose, isFinalClose } from "./close_reason.ts";
import type { ConnectionSettings } from "./connection_settings.ts";
import { EntryDeadline } from "./entry_deadline.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { HubEnvelope } from "./hub_envelope.ts";
import { OpenSockets } from "./open_sockets.ts";
import type { SocketConstructor } from "./socket_like.ts";
import type { TokenSource } from "./token_source.ts";
import { Transport, type TransportEnd, type TransportOptions } from "./transport.ts";
import type { UpgradeProbe } from "./upgrade_probe.ts";
import { watchWake } from "./wake_signals.ts";

/** Milliseconds for which a connection must have been live for the backoff to start anew. */
const STABLE_MS = 5_000;
/** Milliseconds between two tries that a browser's events bring forward, at least. */
const HASTE_MS = 1_000;
const PING = [encodeEnvelope({ type: "ping", payload: {} })];

/** How {@linkcode ReconnectingSocket} behaves. */
export interface ReconnectingSocketOptions extends Pick<ConnectOptions, "WebSocket"> {
  /** How long things may take. */
  readonly settings: ConnectionSettings;
  /** Gives the token of each connection. */
  readonly tokens: TokenSource;
  /** Finds out why an upgrade failed. */
  readonly probe: UpgradeProbe;
  /** Gives the URL of the next upgrade, with `ws:` or `wss:`. */
  readonly url: () => string;
  /** Called when a connection is open. */
  readonly onOpen?: () => void;
  /** Called with each envelope that is not about the connection alone. */
  readonly onEnvelope: (envelope: HubEnvelope) => void;
  /** Tells whether the server still has to let the member in: then something must come. */
  readonly isEntering: () => boolean;
  /** Called for each envelope that cannot be read. */
  readonly onBadFrame: TransportOptions["onBadFrame"];
  /** Called when a connection is lost, before the state changes. */
  readonly onLost: () => void;
  /** Called with each new state. */
  readonly onState: (state: ConnectionState) => void;
}

/**
 * A WebSocket connection that is opened again whenever it is lost: notices when it is dead, waits,
 * opens the next one, until it is closed or the server says that no further try makes sense.
 */
export class ReconnectingSocket {
  readonly #options: ReconnectingSocketOptions;
  readonly #WebSocket: SocketConstructor;
  readonly #backoff: Backoff;
  readonly #heartbeat: Heartbeat;
  readonly #entry: EntryDeadline;
  readonly #closing = new AbortController();
  readonly #sockets = new OpenSockets();
  #state: ConnectionState = { status: "connecting" };
  #transport: Transport | undefined;
  #attempt = new AbortController();
  /** While connecting: when to give up. While waiting: when to try again, at `#dueAt`. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #triedAt = -Infinity;
  #dueAt = 0;
  #liveSince: number | undefined;
  /** The wait that a server which is about to stop asked for. */
  #comeBackMs: number | undefined;
  /** Why upgrades fail, as long as they do. */
  #why: string | undefined;

  /**
   * @param options Where to connect, and what to call.
   * @throws {TypeError} Where there is no WebSocket.
   */
  constructor(options: ReconnectingSocketOptions) {
    this.#options = options;
    const Socket: SocketConstructor | undefined = options.WebSocket ?? globalThis.WebSocket;
    if (!Socket) throw new TypeError('There is no WebSocket here: pass one as "WebSocket"');
    this.#WebSocket = Socket;
    this.#backoff = new Backoff(options.settings);
    this.#heartbeat = new Heartbeat({
      ...options.settings,
      onTest: () => this.#transport?.send(PING),
      onDead: () => this.lose("The connection is silent"),
    });
    this.#entry = new EntryDeadline({
      ...options.settings,
      isEntering: options.isEntering,
      onLate: () => this.lose("The server answers, but lets nobody into the room"),
    });
  }

  /** The present state. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Aborted when the present connection is lost. */
  get attempt(): AbortSignal {
    return this.#attempt.signal;
  }

  /** Aborted, with a {@linkcode ChatError}, when it has ended for good. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Opens the first connection. */
  start(): void {
    const onOffline = () => this.#heartbeat.test();
    watchWake({ onWake: () => this.wake(), onOffline }, this.closing);
    this.#open();
  }

  /** Marks the connection as complete: the member is in the room and has what it missed. */
  live(): void {
    this.#liveSince = performance.now();
    this.#options.tokens.accept();
    this.#setState({ status: "live" });
  }

  /** Sends envelopes, if there is a connection. */
  send(envelopes: readonly string[]): void {
    this.#transport?.send(envelopes);
  }

  /** Sends envelopes that the server answers. */
  ask(envelopes: readonly string[]): void {
    this.send(envelopes);
    this.#heartbeat.expect();
    if (this.#transport?.hasOpened) this.#entry.start();
  }

  /**
   * Gives the connection up and opens another one later.
   *
   * @param reason Why, for people.
   * @param delayMs Milliseconds to wait, where the server has asked for that.
   */
  lose(reason: string, delayMs: number | undefined = this.#comeBackMs): void {
    if (this.#state.status === "closed") return;
    this.#disconnect();
    this.#comeBackMs = undefined;
    this.#wait(this.#backoff.bound(delayMs), reason);
  }

  /**
   * Ends for good, as the server wants no further try. Nothing happens where it has ended.
   *
   * @param code The close code that says as much.
   * @param reason What the server said.
   */
  end(code: number, reason: string): void {
    if (this.#state.status === "closed") return;
    this.#disconnect();
    const message = `The connection is closed: ${reason || code}`;
    this.#closing.abort(new ChatError(message, { code: "closed", temporary: false }));
    this.#setState({ status: "closed", code, reason });
  }

  /**
   * Ends for good.
   *
   * @param code The close code for the server.
   * @param reason The reason for the server.
   * @throws {DOMException} Where WebSocket takes no such code or reason.
   */
  close(code: number, reason: string): void {
    checkClose(code, reason);
    if (this.#state.status === "closed") return;
    this.#transport?.drop(code, reason);
    this.end(code, reason);
  }

  /** Settles when all sockets are closed, or after 2 s with those that get no answer. */
  async settled(): Promise<void> {
    await this.#sockets.settled();
  }

  #open(): void {
    clearTimeout(this.#timer);
    this.#triedAt = performance.now();
    this.#attempt = new AbortController();
    const { signal } = this.#attempt;
    this.#setState({ status: "connecting" });
    if (!signal.aborted) void this.#dial(signal);
  }

  async #dial(signal: AbortSignal): Promise<void> {
    let what = "There is no token";
    try {
      const token = await this.#options.tokens.read(signal);
      what = "The connection cannot be opened";
      if (!signal.aborted) this.#connect(token);
    } catch (error) {
      if (signal.aborted) return;
      this.lose(`${what}: ${error instanceof Error ? error.message : error}`);
    }
  }

  #connect(token: string | undefined): void {
    const { settings: { patienceMs }, url, onBadFrame } = this.#options;
    const transport = this.#transport = new Transport({
      url: url(),
      token,
      WebSocket: this.#WebSocket,
      onOpen: () => this.#opened(),
      onFrame: () => this.#heartbeat.heard(),
      onEnvelope: (envelope) => this.#take(envelope),
      onBadFrame,
      onEnd: (end) => this.#ended(end),
    });
    this.#sockets.add(transport.closed);
    this.#timer = setTimeout(() => this.#refused("The server does not answer"), patienceMs);
  }

  #opened(): void {
    this.#why = undefined;
    this.#options.probe.reset();
    this.#heartbeat.start();
    clearTimeout(this.#timer);
    this.#entry.start();
    this.#options.onOpen?.();
  }

  #take(envelope: ServerEnvelopeV2): void {
    if (envelope.type === "pong") return;
    if (envelope.type === "draining") this.#comeBackMs = envelope.payload.reconnect_after_ms;
    else this.#options.onEnvelope(envelope);
    this.#entry.heard();
  }

  #ended({ code, reason, hasOpened }: TransportEnd): void {
    if (code === CLOSE_CODES.notAllowed.code) {
      const wasLive = this.#liveSince !== undefined;
      if (!this.#options.tokens.refuse({ wasLive })) return this.end(code, reason);
    } else if (isFinalClose(code, reason)) return this.end(code, reason);
    if (hasOpened) this.lose(reason || "The connection was lost");
    else this.#refused("The server cannot be reached");
  }

  /** The upgrade has failed, and nothing tells why. */
  #refused(reason: string): void {
    this.lose(this.#why ?? reason);
    if (!this.#options.probe.isAsking) void this.#askWhy();
  }

  async #askWhy(): Promise<void> {
    const attempt = this.#attempt;
    const refusal = await this.#options.probe.ask(this.#options.url(), this.closing);
    if (this.#transport?.hasOpened) return;
    this.#why = refusal?.message;
    if (!refusal) return;
    const { isFinal, message, retryAfterMs } = refusal;
    if (isFinal) return this.end(CLOSE_CODES.notAllowed.code, message);
    if (this.#attempt !== attempt || this.#state.status !== "waiting") return;
    const leftMs = Math.max(0, this.#dueAt - performance.now());
    this.#wait(this.#backoff.bound(leftMs + retryAfterMs), message);
  }

  /** Tries at once, where it waits for the next try; else tests the connection. */
  wake(): void {
    if (this.#state.status !== "waiting") return this.#heartbeat.test();
    if (performance.now() - this.#triedAt >= HASTE_MS) this.#open();
  }

  #wait(delayMs: number, reason: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), delayMs);
    this.#dueAt = performance.now() + delayMs;
    const retryAt = Date.now() + delayMs;
    this.#setState({ status: "waiting", retryAt, retryInMs: delayMs, reason });
  }

  #disconnect(): void {
    this.#attempt.abort();
    clearTimeout(this.#timer);
    this.#heartbeat.stop();
    this.#transport?.drop();
    this.#transport = undefined;
    this.#entry.stop();
    const liveMs = performance.now() - (this.#liveSince ?? Infinity);
    if (liveMs >= STABLE_MS) this.#backoff.reset();
    this.#liveSince = undefined;
    this.#options.onLost();
  }

  #setState(state: ConnectionState): void {
    if (state.status === "connecting" && this.#state.status === "connecting") return;
    this.#state = state;
    this.#options.onState(state);
  }
}
