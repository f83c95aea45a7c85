/**
 * One's place in a room.
 *
 * @module
 */

import { decodeDraft, encodeEnvelope, HISTORY_DEFAULT } from "../protocol/mod.ts";
import { PAGE_DEFAULT, PAGE_MAX } from "../protocol/mod.ts";
import type { JoinedEnvelope, Limits, Message } from "../protocol/mod.ts";
import { Address, checkUser } from "./room_url.ts";
import { HistoryClient } from "./history_client.ts";
import type { ConnectionState, ConnectOptions, SendOptions } from "./chat_events.ts";
import { ChatError, errorOf } from "./chat_error.ts";
import { ChatTarget } from "./chat_target.ts";
import { RoomPresence } from "./room_presence.ts";
import { MessageStreams } from "./message_streams.ts";
import { SendQueue } from "./send_queue.ts";
import { LogPosition } from "./log_position.ts";
import { ReconnectingSocket, type RoomEnvelope } from "./reconnecting_socket.ts";
import { TypingSignal } from "./typing_signal.ts";

/** Messages that wait to be sent, where nothing else is asked for. */
const QUEUE_LIMIT = 1_000;
/** Connections in a row that may fail to read what was missed before one does without. */
const RECOVERIES_MAX = 3;

/**
 * One's place in a room, over however many connections it takes. Every message of the room is
 * handed on once, in the log's order; the cursor moves before that.
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
  readonly #session: ReconnectingSocket;
  readonly #reader: LogPosition;
  readonly #outgoing: SendQueue;
  readonly #typing: TypingSignal;
  readonly #feeds = new MessageStreams();
  readonly #company = new RoomPresence();
  #user: string;
  #limits: Limits | undefined;
  #failedRecoveries = 0;
  /** Settles when there is a place to load older messages from; then, when the last call ended. */
  #loading: Promise<unknown>;
  #setReady!: () => void;

  /**
   * Made by `connect`.
   *
   * @param url The server's base.
   * @param options The room, who one is, and how to go about it.
   * @throws {TypeError} Where the URL, the room or the user is none, or there is no WebSocket.
   */
  constructor(url: string | URL, options: ConnectOptions) {
    super();
    const { room, token, after, signal, history = HISTORY_DEFAULT } = options;
    const address = new Address(url, room);
    const user = options.user === undefined ? undefined : checkUser(options.user);
    const archive = new HistoryClient({
      url: address.http,
      token: async () => typeof token === "function" ? await token() : token,
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    });
    this.room = room;
    this.#user = user ?? "";
    this.#loading = new Promise<void>((resolve) => this.#setReady = resolve);
    this.#reader = new LogPosition({
      archive,
      after,
      history,
      onMessage: (message) => this.#handOn(message),
    });
    this.#session = new ReconnectingSocket({
      ...options,
      archive,
      url: () => {
        const { cursor: after } = this.#reader;
        // One who resumes wants what it missed, not what it has seen.
        const query = { after, history: after === undefined ? history : 0 };
        return address.upgrade(token === undefined ? { user, ...query } : query);
      },
      onEnvelope: (envelope) => this.#take(envelope),
      onBadFrame: (problem) => this.tell("problem", problem),
      onLost: () => this.#lost(),
      onState: (state) => this.#changed(state),
    });
    this.#outgoing = new SendQueue({
      limit: options.queueLimit ?? QUEUE_LIMIT,
      transmit: (envelopes) => this.#session.ask(envelopes),
    });
    this.#typing = new TypingSignal((status) => {
      this.#session.send([encodeEnvelope({ type: "typing_status", payload: { status } })]);
    });
    signal?.addEventListener("abort", () => this.close(), { signal: this.#session.closing });
    if (signal?.aborted) this.close();
    else this.#session.start();
  }

  /** Who one is: as the server says, once it has. */
  get user(): string {
    return this.#user;
  }

  /** How the connection stands. */
  get state(): ConnectionState {
    return this.#session.state;
  }

  /** The place up to which everything was handed on: what a later connection's `after` may be. */
  get cursor(): string | undefined {
    return this.#reader.cursor;
  }

  /** The users in the room, sorted; while there is no connection, those who were. */
  get users(): readonly string[] {
    return this.#company.users;
  }

  /** The other users who are typing, sorted. */
  get typingUsers(): readonly string[] {
    return this.#company.typingUsers;
  }

  /** What the server allows, once it has said so. */
  get limits(): Limits | undefined {
    return this.#limits;
  }

  /**
   * Says something. While there is no connection it waits, and after a reconnect it is sent again
   * where need be; it is stored once all the same. Messages are stored in the order of the calls,
   * unless the server refuses one of several on their way for a while.
   *
   * @param text What to say.
   * @param options A name for the message, and how to give it up.
   * @returns The message as it is stored. Rejects with a {@linkcode ChatError} where it is refused
   * for good, too many wait, or the connection is closed; with the signal's reason once it is
   * aborted.
   */
  send(text: string, options: SendOptions = {}): Promise<Message> {
    const { closing } = this.#session;
    if (closing.aborted) return Promise.reject(closing.reason);
    const { ref, signal } = options;
    // Without the server's limit, which comes with `joined`, the server is the judge.
    const textMaxBytes = this.#limits?.text_max_bytes ?? Infinity;
    const decoded = decodeDraft({ text, ref }, { textMaxBytes });
    if (!decoded.ok) return Promise.reject(errorOf(decoded.error));
    this.#typing.reset();
    return this.#outgoing.add(decoded.draft, signal);
  }

  /**
   * Tells the others that one is typing. May be called for every keystroke: they are told at once
   * and then at most every 1.5 s, and of the end at once. Sending a message ends typing by itself.
   *
   * @param isTyping Whether one is; false when the text was cleared or left.
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
    const { closing } = this.#session;
    const load = () => this.#reader.loadOlder(Math.min(limit, PAGE_MAX), closing);
    const loading = this.#loading.then(load, load);
    this.#loading = loading;
    return loading;
  }

  /**
   * Leaves the room for good. What waits to be sent is given up. A second call does nothing.
   *
   * @param code 1000, or 3000 to 4999.
   * @param reason For the server's people, at most 123 bytes of UTF-8.
   * @throws {DOMException} Where the code or the reason cannot be sent.
   */
  close(code = 1000, reason = ""): void {
    this.#session.close(code, reason);
  }

  /** Leaves the room, and waits until the server has taken note, for at most 2 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#session.settled();
  }

  /**
   * Gives the messages that are handed on from now on, keeping those that nobody has asked for yet.
   *
   * @returns An iterator that ends when the connection has ended for good.
   */
  [Symbol.asyncIterator](): AsyncIterator<Message> {
    return this.#feeds.open();
  }

  #take(envelope: RoomEnvelope): void {
    switch (envelope.type) {
      case "chat_message":
        // A repeat is an acknowledgement, though it was handed on before.
        this.#settle(envelope.payload);
        return this.#reader.take(envelope.payload);
      case "joined":
        return this.#joined(envelope.payload);
      case "presence":
        this.#company.move(envelope.payload);
        return this.tell("presence", envelope.payload);
      case "typing_status":
        this.#company.type(envelope.payload);
        return this.tell("typing", envelope.payload);
      case "error":
        this.#outgoing.refuse(envelope.payload);
        return this.tell("problem", envelope.payload);
    }
  }

  #joined(payload: JoinedEnvelope["payload"]): void {
    this.#user = payload.user;
    this.#company.meet(payload);
    this.#limits = payload.limits;
    if (payload.recovered) this.#arrive(payload, true);
    else void this.#recover(payload);
  }

  async #recover(payload: JoinedEnvelope["payload"]): Promise<void> {
    const { attempt } = this.#session;
    try {
      const recovered = await this.#reader.recover(payload.cursor, attempt);
      if (!attempt.aborted) this.#arrive({ ...payload, recovered }, true);
    } catch (error) {
      if (attempt.aborted) return;
      const isTemporary = error instanceof ChatError && error.temporary;
      if (isTemporary && ++this.#failedRecoveries < RECOVERIES_MAX) {
        return this.#session.lose("What was missed could not be read");
      }
      this.#arrive(payload, false);
    }
  }

  #arrive(payload: JoinedEnvelope["payload"], wasRead: boolean): void {
    const { attempt } = this.#session;
    this.#failedRecoveries = 0;
    const goOn = this.#reader.arrive(payload.cursor, wasRead);
    this.#outgoing.attach(payload.limits);
    this.#setReady();
    this.#session.live();
    if (!attempt.aborted) this.tell("joined", payload);
    goOn(attempt);
  }

  #settle(message: Message): void {
    if (message.user === this.#user) this.#outgoing.settle(message);
  }

  #handOn(message: Message): void {
    this.#settle(message);
    this.#feeds.push(message);
    this.tell("message", message);
  }

  #lost(): void {
    this.#outgoing.detach();
    this.#reader.stop();
    this.#typing.reset();
    this.#company.part();
  }

  #changed(state: ConnectionState): void {
    if (state.status === "closed") {
      this.#setReady();
      this.#outgoing.fail(this.#session.closing.reason);
      this.#feeds.end();
    }
    this.tell("state", state);
  }
}
