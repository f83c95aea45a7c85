/**
 * Membership of a room.
 *
 * @module
 */

import { decodeDraft, encodeEnvelope } from "../protocol/mod.ts";
import { HISTORY_DEFAULT, PAGE_DEFAULT, PAGE_MAX } from "../protocol/mod.ts";
import type { JoinedEnvelope, Limits, Message } from "../protocol/mod.ts";
import { checkUser, RoomUrl } from "./room_url.ts";
import { HistoryClient } from "./history_client.ts";
import { HttpClient } from "./http_client.ts";
import type { ConnectionState, ConnectOptions, SendOptions } from "./chat_events.ts";
import { errorOf } from "./chat_error.ts";
import { ChatTarget } from "./chat_target.ts";
import { settingsOf } from "./connection_settings.ts";
import { LogPosition } from "./log_position.ts";
import { MessageStreams } from "./message_streams.ts";
import { ReconnectingSocket } from "./reconnecting_socket.ts";
import { RoomPresence } from "./room_presence.ts";
import { SendQueue } from "./send_queue.ts";
import { TokenSource } from "./token_source.ts";
import type { RoomEnvelope } from "./transport.ts";
import { TypingSignal } from "./typing_signal.ts";
import { UpgradeProbe } from "./upgrade_probe.ts";

/**
 * Membership of a room, over however many connections it takes. Every message of the room is
 * emitted once, in the log's order; the cursor moves before that.
 *
 * @example
 * ```ts
 * import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
 * import { connect } from "@hubbub/hub/client";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using server = createServer(new Hub(new KvRoomLog(kv)));
 * await using http = Deno.serve({ hostname: "127.0.0.1", port: 0 }, server.fetch);
 * const url = `http://127.0.0.1:${http.addr.port}`;
 *
 * await using chat = connect(url, { room: "lobby", user: "ann" });
 * const { id } = await chat.send("hello"); // resolves when it is stored
 * console.log(id, chat.users); // 01… ["ann"]
 * ```
 */
export class ChatConnection extends ChatTarget {
  /** The room's name. */
  readonly room: string;
  readonly #socket: ReconnectingSocket;
  readonly #position: LogPosition;
  readonly #queue: SendQueue;
  readonly #typing: TypingSignal;
  readonly #streams = new MessageStreams();
  readonly #presence = new RoomPresence(() => {
    const { users, typingUsers } = this.#presence;
    if (this.state.status !== "closed") this.emit("users", { users, typingUsers });
  });
  #user: string;
  #limits: Limits | undefined;
  /** Settles when there is a place to load older messages from; then, when the last call ended. */
  #loading: Promise<unknown>;
  #setReady!: () => void;

  /**
   * Made by `connect`.
   *
   * @param url The server's base.
   * @param options The room, the user, and how the connection behaves.
   * @throws {TypeError} Where the URL, the room or the user is none, or there is no WebSocket.
   * @throws {RangeError} Where a number is out of range.
   */
  constructor(url: string | URL, options: ConnectOptions) {
    super();
    const { room, token, after, signal, credentials, history = HISTORY_DEFAULT } = options;
    const address = new RoomUrl(url, room);
    const user = options.user === undefined ? undefined : checkUser(options.user);
    const settings = settingsOf(options);
    const tokens = new TokenSource(token, settings);
    const fetcher = options.fetch ?? ((input, init) => fetch(input, init));
    const http = new HttpClient({ ...settings, tokens, fetch: fetcher, credentials });
    this.room = room;
    this.#user = user ?? "";
    this.#loading = new Promise<void>((resolve) => this.#setReady = resolve);
    this.#position = new LogPosition({
      history: new HistoryClient({ url: address.http, http }),
      after,
      historyLength: history,
      onMessage: (message) => this.#deliver(message),
    });
    this.#socket = new ReconnectingSocket({
      ...options,
      settings,
      tokens,
      probe: new UpgradeProbe({ http, tokens }),
      url: () => {
        const { cursor: after } = this.#position;
        // A resumed connection needs what was missed, not what was seen.
        const query = { after, history: after === undefined ? history : 0 };
        return address.upgrade(token === undefined ? { user, ...query } : query);
      },
      onEnvelope: (envelope) => this.#take(envelope),
      onBadFrame: (problem) => this.emit("problem", problem),
      onLost: () => this.#lost(),
      onState: (state) => this.#changed(state),
    });
    this.#queue = new SendQueue({
      maxDelayMs: settings.maxDelayMs,
      limit: settings.queueLimit,
      transmit: (envelopes) => this.#socket.ask(envelopes),
    });
    this.#typing = new TypingSignal((status) => {
      this.#socket.send([encodeEnvelope({ type: "typing_status", payload: { status } })]);
    });
    signal?.addEventListener("abort", () => this.close(), { signal: this.#socket.closing });
    if (signal?.aborted) this.close();
    else this.#socket.start();
  }

  /** The user's name: as the server says, once it has. */
  get user(): string {
    return this.#user;
  }

  /** The present state. */
  get state(): ConnectionState {
    return this.#socket.state;
  }

  /** The place up to which everything was emitted: what a later connection's `after` may be. */
  get cursor(): string | undefined {
    return this.#position.cursor;
  }

  /** The users in the room, sorted; while there is no connection, those who were. */
  get users(): readonly string[] {
    return this.#presence.users;
  }

  /** The other users who are typing, sorted. */
  get typingUsers(): readonly string[] {
    return this.#presence.typingUsers;
  }

  /** The server's limits, once it has told them. */
  get limits(): Limits | undefined {
    return this.#limits;
  }

  /**
   * Sends a message. While there is no connection it waits, and after a reconnect it is sent again
   * where need be; it is stored once all the same. Messages are stored in the order of the calls,
   * unless the server refuses one of several on their way for a while.
   *
   * @param text The text.
   * @param options A name for the message, and a signal that withdraws it.
   * @returns The message as it is stored. Rejects with a {@linkcode ChatError} where it is refused
   * for good, too many wait, or the connection is closed; with the signal's reason once it is
   * aborted.
   */
  send(text: string, options: SendOptions = {}): Promise<Message> {
    const { closing } = this.#socket;
    if (closing.aborted) return Promise.reject(closing.reason);
    const { ref, signal } = options;
    // Without the server's limit, which comes with `joined`, the server is the judge.
    const textMaxBytes = this.#limits?.text_max_bytes ?? Infinity;
    const decoded = decodeDraft({ text, ref }, { textMaxBytes });
    if (!decoded.ok) return Promise.reject(errorOf(decoded.error));
    this.#typing.reset();
    return this.#queue.add(decoded.draft, signal);
  }

  /**
   * Shows the others that the user is typing. May be called for every keystroke: they are told at
   * once and then at most every 1.5 s, and of the end at once. Sending a message ends typing.
   *
   * @param isTyping Whether the user is; false when the text was cleared or left.
   */
  typing(isTyping = true): void {
    if (this.state.status === "live") this.#typing.set(isTyping, this.#limits?.typing_timeout_ms);
  }

  /**
   * Reads the messages before the oldest one that was seen or loaded. Further calls read on.
   *
   * @param limit How many at most; the server gives no more than 100.
   * @returns Oldest first; empty at the beginning of the room. Rejects with a
   * {@linkcode ChatError} where the server refuses or cannot be reached, or with a `RangeError`.
   */
  loadOlder(limit: number = PAGE_DEFAULT): Promise<Message[]> {
    if (!Number.isInteger(limit) || limit < 1) {
      return Promise.reject(new RangeError(`Cannot load ${limit} messages`));
    }
    const { closing } = this.#socket;
    const load = () => this.#position.loadOlder(Math.min(limit, PAGE_MAX), closing);
    const loading = this.#loading.then(load, load);
    this.#loading = loading;
    return loading;
  }

  /**
   * Leaves the room for good. What waits to be sent is rejected. A second call does nothing.
   *
   * @param code 1000, or 3000 to 4999.
   * @param reason For the server's people, at most 123 bytes of UTF-8.
   * @throws {DOMException} Where the code or the reason cannot be sent.
   */
  close(code = 1000, reason = ""): void {
    this.#socket.close(code, reason);
  }

  /** Leaves the room, and waits for the server's side of the close for at most 2 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#socket.settled();
  }

  /**
   * Iterates over the messages that are emitted from now on, keeping those not yet asked for.
   *
   * @returns An iterator that ends when the connection has ended for good.
   */
  [Symbol.asyncIterator](): AsyncIterator<Message> {
    return this.#streams.open();
  }

  #take(envelope: RoomEnvelope): void {
    switch (envelope.type) {
      case "chat_message":
        // A repeat is an acknowledgement, though it was emitted before.
        this.#settle(envelope.payload);
        return this.#position.take(envelope.payload);
      case "joined":
        return this.#joined(envelope.payload);
      case "presence":
        this.#presence.setPresence(envelope.payload);
        return this.emit("presence", envelope.payload);
      case "typing_status":
        this.#presence.setTyping(envelope.payload);
        return this.emit("typing", envelope.payload);
      case "error":
        this.#queue.refuse(envelope.payload);
        return this.emit("problem", envelope.payload);
    }
  }

  #joined(payload: JoinedEnvelope["payload"]): void {
    this.#user = payload.user;
    this.#presence.reset(payload);
    this.#limits = payload.limits;
    if (payload.recovered) this.#arrive(payload, true);
    else void this.#recover(payload);
  }

  async #recover(payload: JoinedEnvelope["payload"]): Promise<void> {
    const { attempt } = this.#socket;
    const recovery = await this.#position.recover(payload.cursor, attempt);
    if (attempt.aborted) return;
    if (recovery === "later") return this.#socket.lose("What was missed could not be read");
    this.#arrive({ ...payload, recovered: recovery === "whole" }, recovery !== "unread");
  }

  #arrive(payload: JoinedEnvelope["payload"], wasRead: boolean): void {
    const { attempt } = this.#socket;
    const goOn = this.#position.arrive(payload.cursor, wasRead);
    this.#queue.attach(payload.limits);
    this.#setReady();
    this.#socket.live();
    if (!attempt.aborted) this.emit("joined", payload);
    goOn(attempt);
  }

  #settle(message: Message): void {
    if (message.user === this.#user) this.#queue.settle(message);
  }

  #deliver(message: Message): void {
    this.#settle(message);
    this.#streams.push(message);
    this.emit("message", message);
  }

  #lost(): void {
    this.#queue.detach();
    this.#position.stop();
    this.#typing.reset();
    this.#presence.disconnect();
  }

  #changed(state: ConnectionState): void {
    if (state.status === "closed") {
      this.#setReady();
      this.#queue.fail(this.#socket.closing.reason);
      this.#streams.end();
    }
    this.emit("state", state);
  }
}
