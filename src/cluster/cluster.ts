/**
 * The other isolates on the same logs, as a hub knows them.
 *
 * @module
 */

import { LogWatcher, type WatchedRoom } from "./log_watcher.ts";
import type { Fanout } from "./fanout.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import {
  type ClusterMessage,
  decodeClusterMessage,
  type MessagesDelivered,
} from "./cluster_message.ts";
import { Presence } from "./presence.ts";

/** How {@linkcode Cluster} behaves. */
export interface ClusterOptions {
  /** The name of this isolate, unlike any other's. */
  readonly isolate: string;
  /** The logs that all of them append to. */
  readonly log: RoomLog;
  /** Takes what an operator should know. */
  readonly logger: Logger;
  /** What is counted. */
  readonly metrics: Metrics;
  /** The hub's rooms. */
  readonly rooms: ClusterRooms;
  /** How to reach the others. @default {undefined} they are heard of by the database alone */
  readonly fanout?: Fanout;
  /** Milliseconds between two signs of life to the others. @default {2000} */
  readonly heartbeatMs?: number;
  /** Milliseconds without one after which another isolate is taken for dead. @default {7000} */
  readonly expiryMs?: number;
}

/** A room of the hub, as far as the cluster knows it. */
export interface ClusterRoom extends WatchedRoom {
  /** Receives what another isolate delivered. */
  receive(message: MessagesDelivered): void;
  /** Receives that a user is, or is no longer, connected to another isolate. */
  setRemotePresence(isolate: string, user: string, status: boolean): void;
  /** Receives that a user is, or is no longer, typing on another isolate. */
  setRemoteTyping(isolate: string, user: string, status: boolean): void;
}

/** The rooms of the hub, which receive what other isolates send. */
export interface ClusterRooms {
  /** Finds a room that is in memory. */
  find(name: string): ClusterRoom | undefined;
  /** Finds a room, or brings it into memory. */
  obtain(name: string): ClusterRoom;
  /** Those in memory that are open. */
  open(): Iterable<ClusterRoom>;
}

/**
 * Tells the other isolates what happens here, and the rooms here what happens there: by the
 * fan-out, where there is one, and by the bells of the database for what that loses.
 *
 * @example
 * ```ts
 * import { BroadcastChannelFanout, jsonLogger, Metrics, KvRoomLog } from "@hubbub/hub";
 * import { Cluster } from "./cluster.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const cluster = new Cluster({
 *   isolate: crypto.randomUUID(),
 *   log: new KvRoomLog(kv),
 *   logger: jsonLogger(),
 *   metrics: new Metrics(),
 *   rooms: {
 *     find: () => undefined,
 *     obtain: () => {
 *       throw new Error("There are no rooms");
 *     },
 *     open: () => [],
 *   },
 *   fanout: new BroadcastChannelFanout("example"),
 * });
 * console.log(cluster.reach, cluster.count); // fanout 0
 * cluster.close({ goodbye: true });
 * ```
 */
export class Cluster {
  readonly #isolate: string;
  readonly #rooms: ClusterRooms;
  readonly #fanout: Fanout | undefined;
  readonly #presence: Presence | undefined;
  readonly #bells: LogWatcher;
  #isClosed = false;

  /**
   * Begins to listen and to be heard.
   *
   * @param options How to reach the others, and the rooms that hear of them.
   */
  constructor(options: ClusterOptions) {
    const { isolate, log, logger, metrics, rooms, fanout, heartbeatMs, expiryMs } = options;
    this.#isolate = isolate;
    this.#rooms = rooms;
    this.#fanout = fanout;
    this.#bells = new LogWatcher({
      log,
      logger,
      rooms: () => rooms.open(),
      onHealed: () => void metrics.roomsHealed++,
    });
    if (!fanout) return;
    this.#presence = new Presence({
      isolate,
      post: (message) => this.post(message),
      onChange: (isolate, room, user, status) =>
        rooms.find(room)?.setRemotePresence(isolate, user, status),
      heartbeatMs,
      expiryMs,
    });
    fanout.subscribe((message) => this.#heard(message));
    this.#presence.start();
  }

  /** How they are reached. */
  get reach(): "database" | "fanout" {
    return this.#fanout ? "fanout" : "database";
  }

  /** How many of them are heard; 0 without a fan-out. */
  get count(): number {
    return this.#presence?.peerCount ?? 0;
  }

  /**
   * Sends them a packet; it may get lost.
   *
   * @param packet The packet.
   */
  post(message: ClusterMessage): void {
    if (!this.#isClosed) this.#fanout?.publish(message);
  }

  /**
   * Takes note for them that a user is here, or is no longer.
   *
   * @param room The room.
   * @param user Who.
   * @param status Whether they are here now.
   */
  setPresence(room: string, user: string, status: boolean): void {
    this.#presence?.set(room, user, status);
  }

  /**
   * Who is connected to them.
   *
   * @param room The room.
   * @returns Each user with the isolate; a user may be at several. None without a fan-out.
   */
  users(room: string): Iterable<[isolate: string, user: string]> {
    return this.#presence?.remote(room) ?? [];
  }

  /**
   * Falls silent, and hears nothing more. A second call does nothing.
   *
   * @param options Whether they are told; where they are not, they notice after a while.
   */
  close(options: { readonly goodbye: boolean }): void {
    if (this.#isClosed) return;
    this.#presence?.close(options);
    this.#isClosed = true;
    this.#bells.close();
    this.#fanout?.close();
  }

  #heard(value: unknown): void {
    const message = decodeClusterMessage(value);
    if (!message || message.from === this.#isolate || this.#isClosed) return;
    switch (message.kind) {
      case "messages":
        return this.#rooms.find(message.room)?.receive(message);
      case "typing": {
        // A room that nobody here is in yet: whoever joins it shall see who is typing.
        const { room, user, status, from } = message;
        const found = status ? this.#rooms.obtain(room) : this.#rooms.find(room);
        return found?.setRemoteTyping(from, user, status);
      }
      default:
        return this.#presence?.heard(message);
    }
  }
}
