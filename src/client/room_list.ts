/**
 * The rooms that a user has been in.
 *
 * @module
 */

import { ChatError } from "./chat_error.ts";
import { Backoff } from "./backoff.ts";
import type { ConnectionState } from "./chat_events.ts";
import type { ConnectionSettings } from "./connection_settings.ts";
import type { ListedRoom } from "./listed_room.ts";
import { ListedRooms, type ListedRoomsOptions } from "./listed_rooms.ts";
import { SnapshotStore } from "./snapshot_store.ts";
import type { UserRoomsClient } from "./user_rooms_client.ts";

/** Milliseconds after which the list is read again: a room may have come on another device. */
const AGAIN_MS = 60_000;
/** The most milliseconds before it is read again after a reconnect, which many may make at once. */
const SPREAD_MS = 5_000;

/** The state of a list of rooms, never changed: each change makes another one. */
export interface RoomListSnapshot {
  /**
   * How far the list is: nobody subscribes to it (`idle`), it is being read (`loading`), it is here
   * and what is new comes by itself (`live`), the last try failed and another one comes by itself
   * (`waiting`), or the hub wants none (`closed`).
   */
  readonly status: "idle" | "loading" | "live" | "waiting" | "closed";
  /** The rooms, those in which something happened last coming first. */
  readonly rooms: readonly ListedRoom[];
  /** Why the last try failed, or none comes. */
  readonly error: ChatError | undefined;
}

/** What a list of rooms needs of the client that it belongs to. */
export interface RoomListOptions extends Omit<ListedRoomsOptions, "onChange"> {
  /** Asks the hub. */
  readonly userRooms: UserRoomsClient;
  /** The durations of the connection. */
  readonly settings: ConnectionSettings;
}

/**
 * The rooms that the user has been in, with what is unread in each. While somebody subscribes to the
 * list, the 100 rooms in which something happened last are live in it; the others are as they were
 * when the list was read, once a minute. Made by `createClient`, as `client.rooms`.
 *
 * @example
 * ```ts
 * import { createServer, Hub, KvRoomLog, tokenOf } from "@hubbub/hub";
 * import { createClient } from "@hubbub/hub/client";
 *
 * using kv = await Deno.openKv(":memory:");
 * const authorize = (request: Request) => ({ user: tokenOf(request) ?? "" });
 * await using server = createServer(new Hub(new KvRoomLog(kv)), { authorize });
 * await using http = Deno.serve({ hostname: "127.0.0.1", port: 0 }, server.fetch);
 * const url = `http://127.0.0.1:${http.addr.port}`;
 *
 * await using ann = createClient(url, { token: "ann" });
 * await using bob = createClient(url, { token: "bob" });
 * await ann.room("lobby").send({ text: "hello" });
 * await bob.room("lobby").send({ text: "hello ann" });
 * const { promise, resolve } = Promise.withResolvers<void>();
 * const unsubscribe = ann.rooms.subscribe(() => {
 *   if (ann.rooms.snapshot.status === "live") resolve();
 * });
 * await promise;
 * console.log(ann.rooms.snapshot.rooms.map(({ room, unread }) => [room, unread])); // [["lobby", 1]]
 * unsubscribe();
 * ```
 */
export class RoomList {
  /**
   * Subscribes to the list, and so reads it; bound, so that it can be handed on as it is.
   *
   * @param listener Called after each change, at most once a turn.
   * @returns Ends the subscription.
   */
  readonly subscribe: (listener: () => void) => () => void;
  readonly #options: RoomListOptions;
  readonly #store: SnapshotStore<RoomListSnapshot>;
  readonly #rooms: ListedRooms;
  readonly #backoff: Backoff;
  #status: RoomListSnapshot["status"] = "idle";
  #error: ChatError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSettling = false;
  /** Which reading of the list holds. */
  #reading = 0;

  /**
   * Made by `createClient`.
   *
   * @param options The client.
   * @ignore
   */
  constructor(options: RoomListOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.settings);
    this.#rooms = new ListedRooms({ ...options, onChange: () => this.#store.changed() });
    this.#store = new SnapshotStore(() => ({
      status: this.#status,
      rooms: this.#rooms.list,
      error: this.#error,
    }));
    this.subscribe = (listener) => {
      const unsubscribe = this.#store.subscribe(listener);
      this.#settleSoon();
      return () => {
        unsubscribe();
        this.#settleSoon();
      };
    };
    options.closing.addEventListener("abort", () => this.#close(options.closing.reason));
  }

  /** The state of now; the same object until something of it changes. */
  get snapshot(): RoomListSnapshot {
    return this.#store.snapshot;
  }

  /** Reads the list anew, now; nothing happens while nobody subscribes. */
  refresh(): void {
    if (this.#status !== "idle" && this.#status !== "closed") void this.#read();
  }

  /**
   * Takes a room off the list, with its mark. It is back once the user joins it again.
   *
   * @param room The room's name.
   * @returns Settles when the hub has forgotten it. Rejects with a {@linkcode ChatError} where the
   * server refuses or cannot be reached.
   */
  async forget(room: string): Promise<void> {
    // At once: a list that went on to watch it would join it, and the hub would write it down again.
    this.#rooms.forget(room);
    try {
      await this.#options.userRooms.forget(room);
      this.#rooms.forget(room);
    } catch (error) {
      this.refresh();
      throw error;
    }
  }

  /**
   * The user was let into a room.
   *
   * @param room The room's name.
   * @ignore
   */
  entered(room: string): void {
    this.#rooms.add(room);
  }

  /**
   * The state of the connection has changed.
   *
   * @param state The state.
   * @ignore
   */
  connectionChanged({ status }: ConnectionState): void {
    if (status !== "live" || this.#status !== "live") return;
    this.#later(Math.random() * SPREAD_MS);
  }

  /** Who comes as another goes, in one turn, costs nothing. */
  #settleSoon(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    queueMicrotask(() => {
      this.#isSettling = false;
      this.#settle();
    });
  }

  #settle(): void {
    const isUsed = this.#store.size > 0;
    if (this.#options.closing.aborted || isUsed === (this.#status !== "idle")) return;
    if (isUsed) return void this.#read();
    this.#stop();
    this.#set("idle");
  }

  async #read(): Promise<void> {
    clearTimeout(this.#timer);
    const reading = ++this.#reading;
    if (this.#status !== "live") this.#set("loading");
    try {
      const rooms = await this.#options.userRooms.list();
      if (reading !== this.#reading) return;
      this.#rooms.take(rooms);
      this.#backoff.reset();
      this.#set("live");
      // A hub that keeps none has none later: browsers write each refusal into their console.
      if (rooms) this.#later(AGAIN_MS);
    } catch (reason) {
      if (reading !== this.#reading) return;
      const error = reason instanceof ChatError ? reason : undefined;
      if (error && !error.temporary) return this.#close(error);
      this.#set("waiting", error);
      this.#later(this.#backoff.bound(error?.retryAfterMs));
    }
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(), ms);
  }

  #stop(): void {
    this.#reading++;
    clearTimeout(this.#timer);
    this.#rooms.stop();
  }

  #close(error: ChatError): void {
    this.#stop();
    this.#set("closed", error);
  }

  #set(status: RoomListSnapshot["status"], error?: ChatError): void {
    this.#status = status;
    this.#error = error;
    this.#store.changed();
  }
}
