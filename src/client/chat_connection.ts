/**
 * Membership of a room.
 *
 * @module
 */

import { HISTORY_DEFAULT, type LimitsV2, PAGE_DEFAULT } from "../protocol/mod.ts";
import type { PresenceEnvelopeV2, Role } from "../protocol/mod.ts";
import type { ConnectionState, ConnectOptions, SendOptions } from "./chat_events.ts";
import { ChatTarget } from "./chat_target.ts";
import { MessageStreams } from "./message_streams.ts";
import { closeCodeOf, Multiplexer } from "./multiplexer.ts";
import type { MessageEdit, MessageName } from "./room.ts";
import type { RoomModel } from "./room_model.ts";
import type { Arrived } from "./room_observer.ts";
import { KEEP_DEFAULT } from "./room_options.ts";
import type { RoomMessage, StoredMessage } from "./room_state.ts";

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
 * const { cursor } = await chat.send("hello"); // resolves when it is stored
 * console.log(cursor, chat.users); // 0000… ["ann"]
 * ```
 */
export class ChatConnection extends ChatTarget {
  /** The room's name. */
  readonly room: string;
  readonly #connection: Multiplexer;
  readonly #model: RoomModel;
  readonly #streams = new MessageStreams<StoredMessage>();
  #messages: readonly RoomMessage[] = [];
  #isUsersDue = false;
  #state: ConnectionState = { status: "connecting" };

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
    const { room, after, history = HISTORY_DEFAULT } = options;
    this.room = room;
    this.#connection = new Multiplexer(url, {
      ...options,
      isForOneRoom: true,
      onState: () => this.#changed(),
      onProblem: (problem) => this.emit("problem", problem),
    });
    this.#model = this.#connection.add(
      room,
      { history, after, presence: true, keep: KEEP_DEFAULT },
      {
        onMessage: (message) => {
          this.#streams.push(message);
          this.emit("message", message);
        },
        onMessageChange: (change, message) => this.emit("change", { change, message }),
        onArrive: (joined) => this.#arrived(joined),
        onPresence: (presence) => this.#presenceChanged(presence),
        onTyping: (typing) => this.emit("typing", typing),
        onUsers: () => this.#usersChanged(),
        // What ends a stay ends the connection as well, whose state tells why.
        onStatus: () => this.#model.membership.status === "live" && this.#changed(),
        onClosed: (error) => this.#connection.end(closeCodeOf(error), error.message),
      },
    );
    this.#model.subscribe(() => this.#shown());
    this.#connection.start();
  }

  /** The user's name: as the server says, once it has. */
  get user(): string {
    return this.#connection.user;
  }

  /** The present state. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** The place up to which everything was emitted: what a later connection's `after` may be. */
  get cursor(): string | undefined {
    return this.#model.cursor;
  }

  /** The users in the room, or some of very many, sorted; without a connection, those who were. */
  get users(): readonly string[] {
    return this.#model.presence.users;
  }

  /** How many users are in the room. */
  get userCount(): number {
    return this.#model.presence.userCount;
  }

  /** The other users who are typing, sorted. */
  get typingUsers(): readonly string[] {
    return this.#model.presence.typingUsers;
  }

  /** The newest messages, oldest first, as {@linkcode RoomSnapshot} has them. */
  get messages(): readonly RoomMessage[] {
    return this.#model.snapshot.messages;
  }

  /** What the user may do in the room, once the server has told. */
  get role(): Role | undefined {
    return this.#model.snapshot.role;
  }

  /** The server's limits, once it has told them. */
  get limits(): LimitsV2 | undefined {
    return this.#connection.limits;
  }

  /**
   * Sends a message. While there is no connection it waits, and after a reconnect it is sent again
   * where need be; it is stored once all the same. Messages are stored in the order of the calls,
   * unless the server refuses one of several on their way for a while.
   *
   * @param text The text.
   * @param options What else there is to the message, and a signal that withdraws it.
   * @returns The message as it is stored. Rejects with a {@linkcode ChatError} where it is refused
   * for good, too many wait, or the connection is closed; with the signal's reason once it is
   * aborted.
   */
  send(text: string, options: SendOptions = {}): Promise<StoredMessage> {
    const { ref, data, replyTo, signal } = options;
    const extras = { ...(data && { data }), ...(replyTo !== undefined && { reply_to: replyTo }) };
    return this.#model.post({ text, ref, ...extras }, signal);
  }

  /**
   * Edits a message, as {@linkcode Room.edit} does.
   *
   * @param message The message.
   * @param edit What to change.
   * @returns The message as it is then; undefined where it is not kept.
   */
  edit(message: MessageName, edit: MessageEdit): Promise<StoredMessage | undefined> {
    return this.#model.change(message, { ...edit, kind: "edit" });
  }

  /**
   * Deletes a message, as {@linkcode Room.delete} does.
   *
   * @param message The message.
   * @returns What is left of it; undefined where it is not kept.
   */
  delete(message: MessageName): Promise<StoredMessage | undefined> {
    return this.#model.change(message, { kind: "delete" });
  }

  /**
   * Reacts to a message, or takes a reaction back, as {@linkcode Room.react} does.
   *
   * @param message The message.
   * @param emoji What the reaction shows: 1 to 32 bytes of UTF-8 without white space.
   * @param status Whether the user reacts so from now on.
   * @returns The message as it is then; undefined where it is not kept.
   */
  react(message: MessageName, emoji: string, status = true): Promise<StoredMessage | undefined> {
    return this.#model.change(message, { kind: "reaction", emoji, status });
  }

  /**
   * Finds a message, as {@linkcode Room.find} does.
   *
   * @param cursor Its cursor.
   * @returns The message as it is now; undefined where there is none.
   */
  find(cursor: string): Promise<StoredMessage | undefined> {
    return this.#model.find(cursor);
  }

  /**
   * Sends those changes of a message again that have failed.
   *
   * @param message The message.
   * @returns The message as it is then. Rejects with a `RangeError` where none has.
   */
  retry(message: RoomMessage): Promise<StoredMessage | undefined> {
    return this.#model.retry(message);
  }

  /**
   * Gives those changes of a message up that are not stored.
   *
   * @param message The message.
   */
  discard(message: RoomMessage): void {
    this.#model.discard(message);
  }

  /**
   * Shows the others that the user is typing. May be called for every keystroke: they are told at
   * once and then at most every 1.5 s, and of the end at once. Sending a message ends typing.
   *
   * @param isTyping Whether the user is; false when the text was cleared or left.
   */
  typing(isTyping = true): void {
    this.#model.typing(isTyping);
  }

  /**
   * Reads the messages before the oldest one that was seen or loaded. Further calls read on.
   *
   * @param limit How many at most; the server gives no more than 100.
   * @returns Oldest first; empty at the beginning of the room. Rejects with a
   * {@linkcode ChatError} where the server refuses or cannot be reached, or with a `RangeError`.
   */
  loadOlder(limit: number = PAGE_DEFAULT): Promise<StoredMessage[]> {
    return this.#model.loadOlder(limit);
  }

  /**
   * Leaves the room for good. What waits to be sent is rejected. A second call does nothing.
   *
   * @param code 1000, or 3000 to 4999.
   * @param reason For the server's people, at most 123 bytes of UTF-8.
   * @throws {DOMException} Where the code or the reason cannot be sent.
   */
  close(code = 1000, reason = ""): void {
    this.#connection.close(code, reason);
  }

  /** Leaves the room, and waits for the server's side of the close for at most 2 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#connection.settled();
  }

  /**
   * Iterates over the messages that are emitted from now on, keeping those not yet asked for.
   *
   * @returns An iterator that ends when the connection has ended for good.
   */
  [Symbol.asyncIterator](): AsyncIterator<StoredMessage> {
    return this.#streams.open();
  }

  #shown(): void {
    const before = this.#messages;
    this.#messages = this.messages;
    if (before !== this.#messages) this.emit("messages", this.#messages);
  }

  /** Tells of the state where it is another one than before: live with the room, not before. */
  #changed(): void {
    const { state } = this.#connection;
    const isEarly = state.status === "live" && this.#model.membership.status !== "live";
    const next = isEarly ? { status: "connecting" } as const : state;
    const { status } = this.#state;
    if (next === this.#state || next.status === "connecting" && status === "connecting") return;
    this.#state = next;
    if (next.status === "closed") this.#streams.end();
    this.emit("state", next);
  }

  #arrived({ users, user_count: userCount, ...joined }: Arrived): void {
    const { room, user, limits } = this;
    if (!limits) return;
    const names = users.map(({ user }) => user);
    this.emit("joined", { room, user, ...joined, users: names, userCount, limits });
  }

  #presenceChanged({ joined, left }: PresenceEnvelopeV2["payload"]): void {
    for (const { user } of joined) this.emit("presence", { user, status: "joined" });
    for (const user of left) this.emit("presence", { user, status: "left" });
  }

  /** Tells of users once at the end of a turn, however many came and went in it. */
  #usersChanged(): void {
    if (this.#isUsersDue) return;
    this.#isUsersDue = true;
    queueMicrotask(() => {
      this.#isUsersDue = false;
      const { users, userCount, typingUsers } = this.#model.presence;
      if (this.state.status !== "closed") this.emit("users", { users, userCount, typingUsers });
    });
  }
}
