/**
 * Connection for many rooms.
 *
 * @module
 */

import type { JsonObject, LimitsV2, ProblemV2 } from "../protocol/mod.ts";
import type { ConnectionOptions, ConnectionState } from "./chat_events.ts";
import { Multiplexer } from "./multiplexer.ts";
import { Room } from "./room.ts";
import { RoomList } from "./room_list.ts";
import { type RoomOptions, roomOptionsOf } from "./room_options.ts";
import { SnapshotStore } from "./snapshot_store.ts";
import type { UnsentStorage } from "./unsent_store.ts";

/** Options of `createClient()`. */
export interface ClientOptions extends ConnectionOptions {
  /**
   * Where messages that are not stored yet outlast the program, by room and user: `localStorage` in a
   * browser. Of a hub that does not know its users, the rooms and read marks as well. They are there again with the first subscription, and sent; those that may have been sent
   * more than 2 minutes ago, when the server no longer knows a repeat, are shown as failed.
   */
  readonly storage?: UnsentStorage;
  /**
   * Called with each refusal by the hub, and the room that it is about, if it is about one. What is
   * refused is in the room's snapshot, too: this is for logs.
   */
  readonly onProblem?: (problem: ProblemV2, room: string | undefined) => void;
}

/** The state of a client, never changed: each change makes another one. */
export interface ClientSnapshot {
  /** How far the connection is. */
  readonly status: ConnectionState["status"];
  /** Why it was lost, or closed: a sentence for people. */
  readonly reason: string | undefined;
  /** The user's name: as the server says, once it has. */
  readonly user: string;
}

/**
 * A connection for many rooms, over however many sockets it takes. Made by `createClient`.
 *
 * @example
 * ```ts
 * import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
 * import { createClient } from "@hubbub/hub/client";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using server = createServer(new Hub(new KvRoomLog(kv)));
 * await using http = Deno.serve({ hostname: "127.0.0.1", port: 0 }, server.fetch);
 *
 * await using client = createClient(`http://127.0.0.1:${http.addr.port}`, { user: "ann" });
 * await Promise.all(["lobby", "news"].map((name) => client.room(name).send({ text: "hello" })));
 * console.log(client.status); // live
 * ```
 */
export class ChatClient {
  /**
   * Subscribes to the snapshots of the connection; bound, so that it can be handed on as it is.
   *
   * @param listener Called after each change, at most once a turn.
   * @returns Ends the subscription.
   */
  readonly subscribe: (listener: () => void) => () => void;
  /** The rooms that the user has been in, with what is unread in each. */
  readonly rooms: RoomList;
  readonly #connection: Multiplexer;
  readonly #store: SnapshotStore<ClientSnapshot>;
  readonly #rooms = new Map<string, Room>();
  /** The rooms whose options are set. */
  readonly #arranged = new Set<string>();

  /**
   * Made by `createClient`.
   *
   * @param url The server's base.
   * @param options Who connects, and how the connection behaves.
   * @throws {TypeError} Where the URL or the user is none, or there is no WebSocket.
   * @throws {RangeError} Where a number is out of range.
   */
  constructor(url: string | URL, options: ClientOptions = {}) {
    this.#store = new SnapshotStore(() => ({
      status: this.status,
      reason: this.reason,
      user: this.user,
    }));
    this.subscribe = (listener) => this.#store.subscribe(listener);
    this.#connection = new Multiplexer(url, {
      ...options,
      onState: (state) => {
        this.#store.changed();
        this.rooms.connectionChanged(state);
      },
      onEntered: (room) => this.rooms.entered(room),
      onProblem: (problem, room) => options.onProblem?.(problem, room),
    });
    this.rooms = new RoomList({
      ...this.#connection.forList,
      storage: options.storage,
      user: () => this.user,
      roomsMax: () => this.limits?.rooms_max,
      model: (name) => this.#connection.get(name),
    });
    this.#connection.start();
  }

  /** How far the connection is. */
  get status(): ConnectionState["status"] {
    return this.state.status;
  }

  /** Why the connection was lost, or closed; undefined while it is neither. */
  get reason(): string | undefined {
    const { state } = this;
    return "reason" in state ? state.reason : undefined;
  }

  /** The state of the connection, with the time of the next try. */
  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** The user's name: as the server says, once it has. */
  get user(): string {
    return this.#connection.user;
  }

  /** The name to show beside the user's, where the server says one. */
  get name(): string | undefined {
    return this.#connection.name;
  }

  /** The limits of the connection, once the server has told them. */
  get limits(): LimitsV2 | undefined {
    return this.#connection.limits;
  }

  /** The state of now as one object, the same until something of it changes. */
  get snapshot(): ClientSnapshot {
    return this.#store.snapshot;
  }

  /**
   * Gives a room: always the same object for a name. It is joined with its first subscription.
   *
   * @param name The room's name.
   * @param options How it is joined; those of the first call that has any hold, if the room is not in
   * use by then.
   * @returns The room.
   * @throws {TypeError} Where the name is none, or an option of another type.
   * @throws {RangeError} Where a number is out of range.
   */
  room<Data extends JsonObject = JsonObject>(name: string, options?: RoomOptions): Room<Data> {
    const checked = options && roomOptionsOf(options);
    const model = this.#connection.get(name);
    const known = this.#rooms.get(name) ?? new Room(model);
    this.#rooms.set(name, known);
    if (checked && !this.#arranged.has(name)) {
      this.#arranged.add(name);
      if (!model.isUsed) model.options = checked;
    }
    return known as unknown as Room<Data>;
  }

  /** Tries to connect at once, where the next try is later; tests a connection that seems to be open. */
  reconnect(): void {
    this.#connection.reconnect();
  }

  /**
   * Leaves all rooms for good. What waits to be sent fails. A second call does nothing.
   *
   * @param code 1000, or 3000 to 4999.
   * @param reason For the server's people, at most 123 bytes of UTF-8.
   * @throws {DOMException} Where the code or the reason cannot be sent.
   */
  close(code = 1000, reason = ""): void {
    this.#connection.close(code, reason);
  }

  /** Leaves all rooms, and waits for the server's side of the close for at most 2 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#connection.settled();
  }
}
