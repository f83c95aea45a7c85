/**
 * The other isolates on the same logs, as a hub knows them.
 *
 * @module
 */

import type { RoomLog } from "../store/room_log.ts";
import type { Guard } from "../telemetry/guard.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import {
  type ClusterMessage,
  decodeClusterMessage,
  type MessagesDelivered,
} from "./cluster_message.ts";
import type { Fanout } from "./fanout.ts";
import { LogWatcher, type WatchedRoom } from "./log_watcher.ts";
import type { Presence } from "./presence.ts";

/** How {@linkcode Cluster} behaves. */
export interface ClusterOptions {
  /** The id of this isolate, unlike any other's. */
  readonly isolate: string;
  /** The logs that all of them append to. */
  readonly log: RoomLog;
  /** Runs the fan-out, which may throw. */
  readonly guard: Guard;
  /** The hub's counters. */
  readonly metrics: Metrics;
  /** The users in each room; started and closed with the cluster. */
  readonly presence: Presence;
  /** The hub's rooms. */
  readonly rooms: ClusterRooms;
  /** Called where the database was put back to an earlier state. */
  readonly onWentBack: () => void;
  /** How to reach the others. @default {undefined} through the database alone */
  readonly fanout?: Fanout;
}

/** A room of the hub, as far as the cluster knows it. */
export interface ClusterRoom extends WatchedRoom {
  /** Receives what another isolate delivered. */
  receive(message: MessagesDelivered): void;
  /** Receives that a user is, or is no longer, typing on another isolate. */
  setRemoteTyping(isolate: string, user: string, status: boolean): void;
}

/** The rooms of the hub, which receive what other isolates send. */
export interface ClusterRooms {
  /** Finds a room that is in memory. */
  find(name: string): ClusterRoom | undefined;
  /** Finds a room, or brings it into memory. */
  obtain(name: string): ClusterRoom;
  /** Finds one that is open or being opened. */
  findOpen(name: string): ClusterRoom | undefined;
  /** Those that are open or being opened. */
  open(): Iterable<ClusterRoom>;
}

/**
 * Connects a hub to the other isolates on the same logs: by the fan-out, where there is one, and by
 * watching the log for what the fan-out loses. A fan-out that throws is counted and logged, and
 * disturbs nothing.
 *
 * @example
 * ```ts
 * import { BroadcastChannelFanout, jsonLogger, Metrics, KvRoomLog } from "@hubbub/hub";
 * import { Guard } from "../telemetry/guard.ts";
 * import { Cluster } from "./cluster.ts";
 * import { Presence } from "./presence.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const isolate = crypto.randomUUID();
 * const metrics = new Metrics();
 * const cluster = new Cluster({
 *   isolate,
 *   log: new KvRoomLog(kv),
 *   guard: new Guard({ logger: jsonLogger(), metrics }),
 *   metrics,
 *   presence: new Presence({
 *     isolate,
 *     post: (message) => cluster.post(message),
 *     onChange() {},
 *     onRemoteLeave() {},
 *   }),
 *   rooms: {
 *     find: () => undefined,
 *     obtain: () => {
 *       throw new Error("There are no rooms");
 *     },
 *     findOpen: () => undefined,
 *     open: () => [],
 *   },
 *   onWentBack: () => console.log("The database was put back"),
 *   fanout: new BroadcastChannelFanout("example"),
 * });
 * cluster.start();
 * console.log(cluster.reach); // fanout
 * cluster.close({ goodbye: true });
 * ```
 */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #watcher: LogWatcher;
  #isClosed = false;

  /**
   * Starts watching the log.
   *
   * @param options How to reach the others, and the rooms that receive what they send.
   */
  constructor(options: ClusterOptions) {
    this.#options = options;
    const { log, guard, metrics, rooms } = options;
    this.#watcher = new LogWatcher({
      log,
      logger: guard.logger,
      rooms: () => rooms.open(),
      find: (name) => rooms.findOpen(name),
      isHeard: () => options.presence.peerCount > 0,
      onHealed: () => void metrics.roomsHealed++,
      onWentBack: options.onWentBack,
    });
  }

  /** How the others are reached. */
  get reach(): "database" | "fanout" {
    return this.#options.fanout ? "fanout" : "database";
  }

  /** The newest commit of the store that is known of; undefined while nothing is known. */
  get position(): string | undefined {
    return this.#watcher.position;
  }

  /** Forgets what is known of the log: the database was put back. */
  forget(): void {
    this.#watcher.forget();
  }

  /** Announces a commit of this isolate. */
  committing(): void {
    this.#watcher.committing();
  }

  /** Ends a commit of this isolate that failed. */
  notCommitted(): void {
    this.#watcher.notCommitted();
  }

  /**
   * Finds out which rooms of a commit of this isolate grew by others' commits as well.
   *
   * @param commit The commit, which has just been stored.
   * @param rooms Its rooms.
   * @returns Those that must read their log. Never rejects.
   */
  committed(commit: string, rooms: Iterable<string>): Promise<ReadonlySet<string>> {
    return this.#watcher.committed(commit, rooms);
  }

  /** Subscribes to the fan-out, where there is one, and makes this isolate known; called once. */
  start(): void {
    const { fanout, guard, presence } = this.#options;
    if (!fanout) return;
    guard.run("fanout_failed", () => fanout.subscribe((message) => this.#receive(message)));
    presence.start();
  }

  /**
   * Sends a message to the others. It may get lost; never throws.
   *
   * @param message The message.
   */
  post(message: ClusterMessage): void {
    const { fanout, guard } = this.#options;
    if (!fanout || this.#isClosed) return;
    guard.run("fanout_failed", () => fanout.publish(message));
  }

  /**
   * Stops sending and receiving. A second call does nothing.
   *
   * @param options Whether the others are told; otherwise they notice after a while.
   */
  close(options: { readonly goodbye: boolean }): void {
    if (this.#isClosed) return;
    const { fanout, guard, presence } = this.#options;
    presence.close(options);
    this.#isClosed = true;
    this.#watcher.close();
    if (fanout) guard.run("fanout_failed", () => fanout.close());
  }

  #receive(value: unknown): void {
    const message = decodeClusterMessage(value);
    if (!message || message.from === this.#options.isolate || this.#isClosed) return;
    const { presence, rooms } = this.#options;
    switch (message.kind) {
      case "messages":
        return rooms.find(message.room)?.receive(message);
      case "typing": {
        // A room that nobody here is in yet: who joins it is to see who is typing.
        const { room, user, status, from } = message;
        const found = status ? rooms.obtain(room) : rooms.find(room);
        return found?.setRemoteTyping(from, user, status);
      }
      default:
        return presence.receive(message);
    }
  }
}
