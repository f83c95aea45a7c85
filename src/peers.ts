/**
 * The other isolates on the same logs, as a hub knows them.
 *
 * @module
 */

import { Bells } from "./bells.ts";
import type { Fanout } from "./fanout.ts";
import type { RoomLog } from "./log.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { decodePacket, type Packet } from "./packet.ts";
import { Presence } from "./presence.ts";
import type { Room } from "./room.ts";

/** How {@linkcode Peers} behaves. */
export interface PeersOptions {
  /** The name of this isolate, unlike any other's. */
  readonly isolate: string;
  /** The logs that all of them append to. */
  readonly log: RoomLog;
  /** Takes what an operator should know. */
  readonly logger: Logger;
  /** What is counted. */
  readonly metrics: Metrics;
  /** The hub's rooms. */
  readonly rooms: PeersRooms;
  /** How to reach the others. @default {undefined} they are heard of by the database alone */
  readonly fanout?: Fanout;
  /** Milliseconds between two signs of life to the others. @default {2000} */
  readonly heartbeatMs?: number;
  /** Milliseconds without one after which another isolate is taken for dead. @default {7000} */
  readonly expiryMs?: number;
}

/** The rooms of a hub, to whom what is heard goes on. */
export interface PeersRooms {
  /** Finds a room that is in memory. */
  find(name: string): Room | undefined;
  /** Finds a room, or brings it into memory. */
  obtain(name: string): Room;
  /** Those in memory that are open. */
  open(): Iterable<Room>;
}

/**
 * Tells the other isolates what happens here, and the rooms here what happens there: by the
 * fan-out, where there is one, and by the bells of the database for what that loses.
 *
 * @example
 * ```ts
 * import { BroadcastChannelFanout, jsonLogger, Metrics, RoomLog } from "@hubbub/hub";
 * import { Peers } from "./peers.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const peers = new Peers({
 *   isolate: crypto.randomUUID(),
 *   log: new RoomLog(kv),
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
 * console.log(peers.reach, peers.count); // fanout 0
 * peers.close({ goodbye: true });
 * ```
 */
export class Peers {
  readonly #isolate: string;
  readonly #rooms: PeersRooms;
  readonly #fanout: Fanout | undefined;
  readonly #presence: Presence | undefined;
  readonly #bells: Bells;
  #isClosed = false;

  /**
   * Begins to listen and to be heard.
   *
   * @param options How to reach the others, and the rooms that hear of them.
   */
  constructor(options: PeersOptions) {
    const { isolate, log, logger, metrics, rooms, fanout, heartbeatMs, expiryMs } = options;
    this.#isolate = isolate;
    this.#rooms = rooms;
    this.#fanout = fanout;
    this.#bells = new Bells({
      log,
      logger,
      rooms: () => rooms.open(),
      onHealed: () => void metrics.roomsHealed++,
    });
    if (!fanout) return;
    this.#presence = new Presence({
      isolate,
      post: (packet) => this.post(packet),
      onChange: (isolate, room, user, status) =>
        rooms.find(room)?.audience.elsewhere(isolate, user, status),
      heartbeatMs,
      expiryMs,
    });
    fanout.subscribe((packet) => this.#heard(packet));
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
  post(packet: Packet): void {
    if (!this.#isClosed) this.#fanout?.publish(packet);
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
    return this.#presence?.elsewhere(room) ?? [];
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
    const packet = decodePacket(value);
    if (!packet || packet.from === this.#isolate || this.#isClosed) return;
    switch (packet.kind) {
      case "messages":
        return this.#rooms.find(packet.room)?.heard(packet);
      case "typing": {
        // A room that nobody here is in yet: whoever joins it shall see who is typing.
        const { room, user, status, from } = packet;
        const found = status ? this.#rooms.obtain(room) : this.#rooms.find(room);
        return found?.audience.typingElsewhere(from, user, status);
      }
      default:
        return this.#presence?.heard(packet);
    }
  }
}
