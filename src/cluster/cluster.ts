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
  type ReadChange,
} from "./cluster_message.ts";
import type { Fanout, FanoutHub } from "./fanout.ts";
import { fittingMessages } from "./fitting_messages.ts";
import { LogWatcher } from "./log_watcher.ts";
import type { Presence } from "./presence.ts";
import type { WatchedRoom } from "./watched_room.ts";

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
  /** Called where a user has read a room on, on another isolate. @default {undefined} */
  readonly onRead?: (read: ReadChange) => void;
  /** How to reach the others. @default {undefined} through the database alone */
  readonly fanout?: Fanout;
}

/** A room of the hub, as far as the cluster knows it. */
export interface ClusterRoom extends WatchedRoom {
  /** The users that are typing in it. */
  readonly typing: ClusterTyping;
  /** Receives what another isolate delivered. */
  receive(message: MessagesDelivered): void;
}

/** The users that are typing in a room, as far as the cluster knows them. */
export interface ClusterTyping {
  /** Sets whether a user is typing on another isolate. */
  setRemote(isolate: string, user: string, status: boolean): void;
  /** Tells the other isolates once more who is typing on this one. */
  announce(): void;
}

/** The rooms of the hub, which receive what other isolates send. */
export interface ClusterRooms {
  /** Finds a room that is in memory. */
  find(name: string): ClusterRoom | undefined;
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
  /** Whether the fan-out was connected when that was last looked at. */
  #wasConnected = true;
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
      isHeard: () => options.presence.peerCount > 0 && this.isConnected !== false,
      onHealed: () => void metrics.roomsHealed++,
      onWentBack: options.onWentBack,
    });
  }

  /** How the others are reached. */
  get reach(): "database" | "fanout" {
    return this.#options.fanout ? "fanout" : "database";
  }

  /** The newest commit that the store is known to hold; undefined while nothing is known. */
  get position(): string | undefined {
    return this.#watcher.confirmed;
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
   * @returns Those that must read their log; undefined where the database was put back since, and
   * holds the commit no longer. Never rejects.
   */
  committed(commit: string, rooms: Iterable<string>): Promise<ReadonlySet<string> | undefined> {
    return this.#watcher.committed(commit, rooms);
  }

  /** Whether the fan-out reaches the others, as far as it knows; undefined where there is none. */
  get isConnected(): boolean | undefined {
    const { fanout } = this.#options;
    return fanout && (fanout.isConnected ?? true);
  }

  /** Subscribes to the fan-out, where there is one, and makes this isolate known; called once. */
  start(): void {
    const { fanout, guard, log, presence } = this.#options;
    if (!fanout) return;
    const hub: FanoutHub = {
      databaseId: () => log.databaseId(),
      failed: (error) => guard.failed("fanout_failed", error),
    };
    guard.run("fanout_failed", () => {
      const connecting = fanout.subscribe((message) => this.#receive(message), hub);
      if (connecting) void this.#connect(connecting);
    });
    presence.start();
  }

  /**
   * Asks for the messages of a room, or no longer. Never throws.
   *
   * @param room The room.
   * @param isNeeded Whether they are needed.
   */
  setInterest(room: string, isNeeded: boolean): void {
    const { fanout, guard } = this.#options;
    // One without interest has nothing that could fail, or work again.
    if (!fanout?.join || this.#isClosed) return;
    guard.run("fanout_failed", () => isNeeded ? fanout.join?.(room) : fanout.leave?.(room));
  }

  /**
   * Sends a message to the others. It may get lost; never throws.
   *
   * @param message The message.
   */
  post(message: ClusterMessage): void {
    const { fanout, guard } = this.#options;
    if (!fanout || this.#isClosed) return;
    if (message.kind === "heartbeat") this.#look();
    const room = roomOf(message);
    guard.run("fanout_failed", () => {
      for (const piece of fittingMessages(message, fanout.messageMaxBytes ?? Infinity)) {
        fanout.publish(piece, room);
      }
    });
  }

  /**
   * Stops sending and receiving. A second call does nothing.
   *
   * @param options Whether the others are told; otherwise they notice after a while.
   * @returns Settles when the fan-out has disconnected. Never rejects.
   */
  async close(options: { readonly goodbye: boolean }): Promise<void> {
    if (this.#isClosed) return;
    const { fanout, guard, presence } = this.#options;
    presence.close(options);
    this.#isClosed = true;
    this.#watcher.close();
    try {
      await fanout?.close();
    } catch (error) {
      guard.failed("fanout_failed", error);
    }
  }

  #receive(value: unknown): void {
    const message = decodeClusterMessage(value);
    if (!message || message.from === this.#options.isolate || this.#isClosed) return;
    const { presence, rooms } = this.#options;
    const { from } = message;
    switch (message.kind) {
      case "messages":
        return rooms.find(message.room)?.receive(message);
      case "typing":
        return rooms.find(message.room)?.typing.setRemote(from, message.user, message.status);
      case "read":
        return this.#options.onRead?.(message);
      case "presence_request":
        // First, since the other isolate waits for what follows.
        if (message.isOpening) rooms.find(message.room)?.typing.announce();
        return presence.receive(message);
      default:
        return presence.receive(message);
    }
  }

  async #connect(connecting: Promise<void>): Promise<void> {
    this.#wasConnected = false;
    try {
      await connecting;
    } catch (error) {
      if (!this.#isClosed) this.#options.guard.failed("fanout_failed", error);
    }
    this.#look();
  }

  /** Counts, and makes this isolate known again where the fan-out has connected meanwhile. */
  #look(): void {
    const { fanout, metrics } = this.#options;
    const isConnected = this.isConnected !== false;
    metrics.fanoutsConnected = isConnected ? 1 : 0;
    metrics.fanoutDropped = fanout?.dropped ?? 0;
    const isBack = isConnected && !this.#wasConnected;
    this.#wasConnected = isConnected;
    if (isBack && !this.#isClosed) this.#options.presence.connected();
  }
}

/** The room whose isolates alone need a message; undefined where all do. */
function roomOf(message: ClusterMessage): string | undefined {
  switch (message.kind) {
    case "heartbeat":
    case "shutdown":
      return undefined;
    case "presence_request":
      // An isolate that is asked by itself may have closed the room.
      return message.of === undefined ? message.room : undefined;
    default:
      return message.room;
  }
}
