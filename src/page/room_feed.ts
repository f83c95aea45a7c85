/**
 * A room of the connection, as events.
 *
 * @module
 */

import { ChatTarget } from "../client/mod.ts";
import type { ChatClient, ChatError, ConnectionState, Room } from "../client/mod.ts";
import type { Arrived, LimitsV2, RoomMessage, RoomSnapshot } from "../client/mod.ts";
import type { SendOptions, StoredMessage } from "../client/mod.ts";

/** The close code for a state that no code of a connection stands behind. */
const NO_CODE = 1000;

/**
 * The room that is open on the page: each message once and in order, first those that the client
 * already has of it. What can be done in it, its {@linkcode Room} does.
 */
export class RoomFeed extends ChatTarget {
  /** The room. */
  readonly room: Room;
  readonly #client: ChatClient;
  readonly #ends: (() => void)[] = [];
  #state: ConnectionState = { status: "connecting" };
  #shown: RoomSnapshot;
  #cursor: string | undefined;

  /**
   * @param client The connection.
   * @param room The room.
   */
  constructor(client: ChatClient, room: Room) {
    super();
    this.#client = client;
    this.room = room;
    this.#shown = room.snapshot;
  }

  /** Joins the room, and begins to tell of it. */
  start(): void {
    const { room } = this;
    for (const message of room.snapshot.messages) if (isStored(message)) this.#took(message);
    this.#ends.push(
      room.observe({
        onMessage: (message) => this.#took(message),
        onMessageChange: (change, message) => {
          this.#cursor = change.cursor;
          this.emit("change", { change, message });
        },
        onErased: (user) => this.dispatchEvent(new CustomEvent("erased", { detail: user })),
        onArrive: (joined) => this.#arrived(joined),
        onStatus: () => this.#stateChanged(),
      }),
      room.subscribe(() => this.#snapshotChanged()),
      this.#client.subscribe(() => this.#stateChanged()),
    );
    room.present(true);
    this.#stateChanged();
  }

  /** Tells no more, and is no longer shown as here. */
  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.room.present(false);
  }

  /**
   * Calls back when all that a user wrote was erased.
   *
   * @param callback Called with the user.
   * @returns Ends that.
   */
  onErased(callback: (user: string) => void): () => void {
    const listener = (event: Event) =>
      void (event instanceof CustomEvent && callback(event.detail));
    this.addEventListener("erased", listener);
    return () => this.removeEventListener("erased", listener);
  }

  /** The user's name: as the server says, once it has. */
  get user(): string {
    return this.#client.user;
  }

  /** The name to show beside the user's, where the server says one. */
  get name(): string | undefined {
    return this.#client.name;
  }

  /** The server's limits, once it has told them. */
  get limits(): LimitsV2 | undefined {
    return this.#client.limits;
  }

  /** How far the user is in the room. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Why the hub wants the user no longer in the room. */
  get error(): ChatError | undefined {
    return this.snapshot.error;
  }

  /** The state of now. */
  get snapshot(): RoomSnapshot {
    return this.room.snapshot;
  }

  /** The place up to which everything was told. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /**
   * Sends a message.
   *
   * @param text The text.
   * @param options Its name, what it answers, and what withdraws it.
   * @returns The message as it is stored.
   */
  send(text: string, { ref, replyTo, signal }: SendOptions): Promise<StoredMessage> {
    const { room } = this;
    signal?.addEventListener("abort", () => {
      const unsent = room.snapshot.messages.find((message) => {
        return message.ref === ref && !isStored(message);
      });
      if (unsent) room.discard(unsent);
    });
    return room.send({ text, ref, replyTo });
  }

  #took(message: StoredMessage): void {
    this.#cursor = message.cursor;
    this.emit("message", message);
  }

  #arrived({ users, user_count: userCount, ...joined }: Arrived): void {
    const { limits, user, room: { name: room } } = this;
    if (!limits) return;
    this.#cursor = joined.cursor;
    const names = users.map(({ user }) => user);
    this.emit("joined", { room, user, ...joined, users: names, userCount, limits });
  }

  #snapshotChanged(): void {
    const { messages, users, userCount, typing, names } = this.#shown;
    const now = this.#shown = this.snapshot;
    this.#stateChanged();
    if (now.messages !== messages) this.emit("messages", now.messages);
    const isSame = now.users === users && now.userCount === userCount && now.typing === typing &&
      now.names === names;
    if (!isSame) this.emit("users", { users: now.users, userCount, typingUsers: now.typing });
    this.dispatchEvent(new Event("standing"));
  }

  #stateChanged(): void {
    const before = this.#state;
    const next = this.#computed();
    const isSame = next.status === before.status && (next.status !== "waiting" || next === before);
    if (isSame) return;
    this.#state = next;
    this.emit("state", next);
  }

  #computed(): ConnectionState {
    const { state } = this.#client;
    if (state.status === "closed" || state.status === "waiting") return state;
    const { status, error } = this.snapshot;
    const reason = error?.message ?? "";
    if (status === "closed") return { status, code: NO_CODE, reason };
    if (status === "live") return { status };
    if (status !== "waiting") return { status: "connecting" };
    // One room alone waits: the connection says nothing of when.
    if (this.#state.status === "waiting" && this.#state.reason === reason) return this.#state;
    return { status, retryAt: Date.now(), retryInMs: 0, reason };
  }
}

/**
 * Tells whether a message is stored.
 *
 * @param message The message.
 * @returns True where it is.
 */
export function isStored(message: RoomMessage): message is StoredMessage {
  return message.status === "sent";
}
