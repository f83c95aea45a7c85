/**
 * The client for browsers, Deno and Node 22 and later. It comes back by itself after whatever cut
 * it off, resumes where it was, and neither loses nor doubles a message on the way, in or out.
 *
 * @example Chat
 * ```ts ignore
 * import { connect } from "@hubbub/hub/client";
 *
 * const chat = connect("http://localhost:8000", { room: "lobby", user: "ann" });
 * const stored = await chat.send("hello");
 * for await (const message of chat) console.log(message.user, message.text);
 * ```
 *
 * @module
 */

import { Address } from "./client/address.ts";
import { Archive } from "./client/archive.ts";
import type { ChatEvents, ConnectionState, ConnectOptions } from "./client/chat_events.ts";
import { ChatError, type ChatErrorCode, type ChatErrorOptions } from "./client/chat_error.ts";
import { errorOf } from "./client/chat_error.ts";
import { Outgoing } from "./client/outgoing.ts";
import { Reader } from "./client/reader.ts";
import { Session } from "./client/session.ts";
import { TypingSignal } from "./client/typing_signal.ts";
import { decodeDraft, decodeUser, encodeEnvelope, HISTORY_DEFAULT } from "./protocol.ts";
import { type JoinedEnvelope, type Limits, type Message, PAGE_DEFAULT } from "./protocol.ts";
import { PAGE_MAX, type PresenceEnvelope, type Problem, type ServerEnvelope } from "./protocol.ts";
import type { ErrorCode, TypingStatusEnvelope } from "./protocol.ts";

export { ChatError };
export type { ChatErrorCode, ChatErrorOptions, ChatEvents, ConnectionState, ConnectOptions };
export type { ErrorCode, JoinedEnvelope, Limits, Message, PresenceEnvelope, Problem };
export type { TypingStatusEnvelope };

/** Messages that wait to be sent, where nothing else is asked for. */
const QUEUE_LIMIT = 1_000;
/** Connections in a row that may fail to read what was missed before one does without. */
const RECOVERIES_MAX = 3;

/** What {@linkcode ChatConnection.send} may be told. */
export interface SendOptions {
  /** One's own name for the message, unique among one's messages, at most 128 characters. */
  readonly ref?: string;
  /** Gives the message up; one that was sent already may be stored all the same. */
  readonly signal?: AbortSignal;
}

/**
 * Joins a room and stays in it.
 *
 * @param url The server's base, with `http:`, `https:`, `ws:` or `wss:`; its path is kept.
 * @param options The room, who one is, and how to go about it.
 * @returns The connection at once; its `state` tells how it stands.
 * @throws {TypeError} Where the URL, the room or the user is none, or there is no WebSocket.
 *
 * @example
 * ```ts ignore
 * const chat = connect("https://chat.example.com", { room: "lobby", token: () => freshToken() });
 * chat.addEventListener("state", ({ detail }) => console.log(detail.status));
 * chat.addEventListener("message", ({ detail }) => console.log(detail.user, detail.text));
 * ```
 */
export function connect(url: string | URL, options: ConnectOptions): ChatConnection {
  return new ChatConnection(url, options);
}

/**
 * One's place in a room, over however many connections it takes. Every message of the room is
 * handed on once, in the log's order; the cursor moves before that.
 *
 * @example
 * ```ts ignore
 * await using chat = connect("http://localhost:8000", { room: "lobby", user: "ann" });
 * const { id } = await chat.send("hello");
 * ```
 */
export class ChatConnection extends EventTarget {
  /** The room's name. */
  readonly room: string;
  readonly #session: Session;
  readonly #reader: Reader;
  readonly #outgoing: Outgoing;
  readonly #typing: TypingSignal;
  readonly #feeds = new Set<ReadableStreamDefaultController<Message>>();
  readonly #createRef = refs();
  #user: string;
  #users: readonly string[] = [];
  #typingUsers: readonly string[] = [];
  #limits: Limits | undefined;
  #failedRecoveries = 0;
  /** Settles when there is a place to load older messages from; then, when the last call ended. */
  #loading: Promise<unknown>;
  #setReady!: () => void;

  /**
   * Made by {@linkcode connect}.
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
    const archive = new Archive({
      url: address.http,
      token: async () => typeof token === "function" ? await token() : token,
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    });
    this.room = room;
    this.#user = user ?? "";
    this.#loading = new Promise<void>((resolve) => this.#setReady = resolve);
    this.#reader = new Reader({
      archive,
      after,
      history,
      onMessage: (message) => this.#handOn(message),
    });
    this.#session = new Session({
      ...options,
      archive,
      url: () => {
        const { cursor: after } = this.#reader;
        // One who resumes wants what it missed, not what it has seen.
        const query = { after, history: after === undefined ? history : 0 };
        return address.upgrade(token === undefined ? { user, ...query } : query);
      },
      onEnvelope: (envelope) => this.#take(envelope),
      onBadFrame: (problem) => this.#tell("problem", problem),
      onLost: () => this.#lost(),
      onState: (state) => this.#changed(state),
    });
    this.#outgoing = new Outgoing({
      limit: options.queueLimit ?? QUEUE_LIMIT,
      transmit: (envelopes) => this.#session.ask(envelopes),
    });
    this.#typing = new TypingSignal((status) => {
      this.#session.send([encodeEnvelope({ type: "typing_status", payload: { status } })]);
    });
    signal?.addEventListener("abort", () => this.close(), { signal: this.#session.closing });
    this.#session.start();
    if (signal?.aborted) this.close();
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
    return this.#users;
  }

  /** The other users who are typing, sorted. */
  get typingUsers(): readonly string[] {
    return this.#typingUsers;
  }

  /** What the server allows, once it has said so. */
  get limits(): Limits | undefined {
    return this.#limits;
  }

  /**
   * Listens to one of the events in {@linkcode ChatEvents}.
   *
   * @param type Which.
   * @param listener Hears of it.
   * @param options As for any `EventTarget`.
   */
  override addEventListener<Type extends keyof ChatEvents>(
    type: Type,
    listener: ((event: ChatEvents[Type]) => void) | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /**
   * Listens to an event.
   *
   * @param type Which.
   * @param listener Hears of it.
   * @param options As for any `EventTarget`.
   */
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    // What the overloads allow, in a type that takes both.
    listener: ((event: never) => void) | EventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener as EventListener | null, options);
  }

  /**
   * Says something. While there is no connection it waits, and after a reconnect it is sent again
   * where need be; it is stored once all the same. Messages are stored in the order of the calls.
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
    const { ref = this.#createRef(), signal } = options;
    // Without the server's limit, which comes with `joined`, the server is the judge.
    const textMaxBytes = this.#limits?.text_max_bytes ?? Infinity;
    const decoded = decodeDraft({ text, ref }, { textMaxBytes });
    if (!decoded.ok) return Promise.reject(errorOf(decoded.error));
    this.#typing.reset();
    return this.#outgoing.add({ text, ref }, signal);
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
    let feed!: ReadableStreamDefaultController<Message>;
    const reader = new ReadableStream<Message>({
      start: (controller) => void (feed = controller),
      cancel: () => void this.#feeds.delete(feed),
    }).getReader();
    if (this.state.status === "closed") feed.close();
    else this.#feeds.add(feed);
    return {
      next: async () => await reader.read() as IteratorResult<Message>,
      return: async () => {
        await reader.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  #take(envelope: ServerEnvelope): void {
    switch (envelope.type) {
      case "chat_message": {
        const message = envelope.payload;
        if (message.user === this.#user) this.#outgoing.settle(message);
        return this.#reader.take(message);
      }
      case "joined":
        return this.#joined(envelope.payload);
      case "presence": {
        const { user, status } = envelope.payload;
        this.#users = listed(this.#users, user, status === "joined");
        return this.#tell("presence", envelope.payload);
      }
      case "typing_status": {
        const { user, status } = envelope.payload;
        this.#typingUsers = listed(this.#typingUsers, user, status);
        return this.#tell("typing", envelope.payload);
      }
      case "error":
        this.#outgoing.refuse(envelope.payload);
        return this.#tell("problem", envelope.payload);
    }
  }

  #joined(payload: JoinedEnvelope["payload"]): void {
    this.#user = payload.user;
    this.#users = payload.users;
    this.#typingUsers = payload.typing;
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
    if (!attempt.aborted) this.#tell("joined", payload);
    if (!attempt.aborted) goOn();
  }

  #handOn(message: Message): void {
    for (const feed of this.#feeds) feed.enqueue(message);
    this.#tell("message", message);
  }

  #lost(): void {
    this.#outgoing.detach();
    this.#reader.stop();
    this.#typing.reset();
    this.#typingUsers = [];
  }

  #changed(state: ConnectionState): void {
    if (state.status === "closed") {
      this.#setReady();
      this.#outgoing.fail(this.#session.closing.reason);
      for (const feed of this.#feeds) feed.close();
      this.#feeds.clear();
    }
    this.#tell("state", state);
  }

  #tell<Type extends keyof ChatEvents>(type: Type, detail: ChatEvents[Type]["detail"]): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function checkUser(name: string): string {
  const decoded = decodeUser(name);
  if (decoded.ok) return decoded.user;
  throw new TypeError(`Cannot join as "${name}": ${decoded.error.message}`);
}

/** The names with one of them listed, or not; sorted, as the server sorts them. */
function listed(names: readonly string[], name: string, isListed: boolean): readonly string[] {
  const others = names.filter((other) => other !== name);
  return isListed ? [...others, name].sort() : others;
}

/** Makes refs that no other connection makes. */
function refs(): () => string {
  // Not randomUUID(), which browsers offer to secure origins only.
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  const prefix = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  let count = 0;
  return () => `${prefix}-${++count}`;
}
