/**
 * Membership of a room.
 *
 * @module
 */

import { encodeEnvelope, HISTORY_DEFAULT, PAGE_DEFAULT } from "../protocol/mod.ts";
import type { JoinedEnvelope, Limits, Message } from "../protocol/mod.ts";
import type { ConnectionState, ConnectOptions, SendOptions } from "./chat_events.ts";
import { ChatTarget } from "./chat_target.ts";
import { settingsOf } from "./connection_settings.ts";
import { HistoryClient } from "./history_client.ts";
import { HttpClient } from "./http_client.ts";
import { MessageStreams } from "./message_streams.ts";
import { ReconnectingSocket } from "./reconnecting_socket.ts";
import { RoomPresence } from "./room_presence.ts";
import { type Arrival, RoomSession } from "./room_session.ts";
import { SendPace } from "./send_pace.ts";
import { SendQueue } from "./send_queue.ts";
import { checkRoom, checkUser, ServerUrl, upgradeUrl } from "./server_url.ts";
import { TokenSource } from "./token_source.ts";
import { UpgradeProbe } from "./upgrade_probe.ts";
import { type RoomEnvelope, WIRE_V1 } from "./wire_v1.ts";

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
  readonly #socket: ReconnectingSocket<RoomEnvelope>;
  readonly #session: RoomSession<Message>;
  readonly #queue: SendQueue<Message>;
  readonly #pace = new SendPace();
  readonly #streams = new MessageStreams();
  readonly #presence = new RoomPresence(() => this.#usersChanged());
  #isUsersDue = false;
  #user: string;
  #limits: Limits | undefined;
  /** What the server said when it let the member in, on the present connection. */
  #welcome: JoinedEnvelope["payload"] | undefined;

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
    const address = new ServerUrl(url).room(checkRoom(room));
    const user = options.user === undefined ? undefined : checkUser(options.user);
    const settings = settingsOf(options);
    const tokens = new TokenSource(token, settings);
    const fetcher = options.fetch ?? ((input, init) => fetch(input, init));
    const http = new HttpClient({ ...settings, tokens, fetch: fetcher, credentials });
    this.room = room;
    this.#user = user ?? "";
    this.#socket = new ReconnectingSocket({
      ...options,
      wire: WIRE_V1,
      settings,
      tokens,
      probe: new UpgradeProbe({ http, tokens }),
      url: () => {
        const { cursor: after } = this.#session;
        // A resumed connection needs what was missed, not what was seen.
        const query = { after, history: after === undefined ? history : 0 };
        return upgradeUrl(address, token === undefined ? { user, ...query } : query);
      },
      onEnvelope: (envelope) => this.#take(envelope),
      onBadFrame: (problem) => this.emit("problem", problem),
      isEntering: () => this.#welcome === undefined,
      onLost: () => this.#lost(),
      onState: (state) => this.#changed(state),
    });
    this.#queue = new SendQueue({
      maxDelayMs: settings.maxDelayMs,
      limit: settings.queueLimit,
      pace: this.#pace,
      encode: (payload) => encodeEnvelope({ type: "chat_message", payload }),
      transmit: (envelopes) => this.#socket.ask(envelopes),
    });
    this.#session = new RoomSession({
      history: new HistoryClient({ url: address, http, read: (message: Message) => message }),
      after,
      historyLength: history,
      queue: this.#queue,
      closing: this.#socket.closing,
      member: () => this,
      sendTyping: (status) => {
        this.#socket.send([encodeEnvelope({ type: "typing_status", payload: { status } })]);
      },
      onMessage: (message) => {
        this.#streams.push(message);
        this.emit("message", message);
      },
      onArrive: (arrival) => this.#arrived(arrival),
      onLater: (reason) => this.#socket.lose(reason),
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
    return this.#session.cursor;
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
    const { ref, signal } = options;
    return this.#session.send({ text, ref }, signal);
  }

  /**
   * Shows the others that the user is typing. May be called for every keystroke: they are told at
   * once and then at most every 1.5 s, and of the end at once. Sending a message ends typing.
   *
   * @param isTyping Whether the user is; false when the text was cleared or left.
   */
  typing(isTyping = true): void {
    if (this.state.status === "live") this.#session.typing(isTyping);
  }

  /**
   * Reads the messages before the oldest one that was seen or loaded. Further calls read on.
   *
   * @param limit How many at most; the server gives no more than 100.
   * @returns Oldest first; empty at the beginning of the room. Rejects with a
   * {@linkcode ChatError} where the server refuses or cannot be reached, or with a `RangeError`.
   */
  loadOlder(limit: number = PAGE_DEFAULT): Promise<Message[]> {
    return this.#session.loadOlder(limit);
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
        return this.#session.take(envelope.payload);
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
    this.#welcome = payload;
    this.#user = payload.user;
    this.#presence.reset(payload);
    this.#limits = payload.limits;
    this.#pace.attach(payload.limits);
    this.#session.joined(payload, this.#socket.attempt);
  }

  #arrived({ recovered }: Arrival): void {
    const { attempt } = this.#socket;
    const joined = this.#welcome;
    this.#socket.live();
    if (joined && !attempt.aborted) this.emit("joined", { ...joined, recovered });
  }

  /** Tells of users once at the end of a turn, however many came and went in it. */
  #usersChanged(): void {
    if (this.#isUsersDue) return;
    this.#isUsersDue = true;
    queueMicrotask(() => {
      this.#isUsersDue = false;
      const { users, typingUsers } = this.#presence;
      if (this.state.status !== "closed") this.emit("users", { users, typingUsers });
    });
  }

  #lost(): void {
    this.#welcome = undefined;
    this.#session.lost();
    this.#pace.detach();
    this.#presence.disconnect();
  }

  #changed(state: ConnectionState): void {
    if (state.status === "closed") {
      this.#session.end(this.#socket.closing.reason);
      this.#streams.end();
    }
    this.emit("state", state);
  }
}
