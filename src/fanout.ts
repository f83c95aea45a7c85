/**
 * How isolates reach each other.
 *
 * @module
 */

import { clearImmediate, setImmediate } from "node:timers";
import type { Packet } from "./packet.ts";

/** The name of the channel: one for everything, since all names of a process share one ring. */
const CHANNEL = "hubbub.v1";

/**
 * Carries packets between the isolates that share a log. It may drop, repeat and reorder them:
 * the hub heals messages from the log, presence and typing by repetition and expiry. It should be
 * fast, and reach every isolate that it reaches at all.
 *
 * An implementation MUST NOT throw from `publish`, MUST NOT call the listener from within
 * `publish`, and MAY hand an isolate its own packets: they are ignored.
 *
 * @example
 * ```ts
 * import { type Fanout, Hub, RoomLog } from "@hubbub/hub";
 *
 * // Reaches hubs of the same process that are given the same set.
 * class LocalFanout implements Fanout {
 *   #listener: (packet: unknown) => void = () => {};
 *   constructor(readonly all: Set<LocalFanout>) {
 *     all.add(this);
 *   }
 *   publish(packet: unknown) {
 *     for (const { hear } of this.all) queueMicrotask(() => hear(packet));
 *   }
 *   subscribe(listener: (packet: unknown) => void) {
 *     this.#listener = listener;
 *   }
 *   close() {
 *     this.all.delete(this);
 *   }
 *   hear = (packet: unknown) => this.#listener(packet);
 * }
 *
 * using kv = await Deno.openKv(":memory:");
 * const all = new Set<LocalFanout>();
 * await using here = new Hub(new RoomLog(kv), { fanout: new LocalFanout(all) });
 * await using there = new Hub(new RoomLog(kv), { fanout: new LocalFanout(all) });
 * console.log(here.reach, there.reach); // fanout fanout
 * ```
 */
export interface Fanout {
  /**
   * Sends a packet to all other isolates, at some time soon.
   *
   * @param packet The packet: plain JSON values.
   */
  publish(packet: Packet): void;
  /**
   * Names who takes what arrives. Called once, before the first `publish`.
   *
   * @param listener Takes whatever came in; it checks the shape and does not throw.
   */
  subscribe(listener: (packet: unknown) => void): void;
  /** Sends what waits, and stops: what is published later is dropped. */
  close(): void;
}

/**
 * Reaches the isolates of this process over `BroadcastChannel`; it never crosses processes. Deno
 * drops without a sign what comes while a receiver is 256 posts behind, so everything that is
 * published in one turn of the event loop goes out in one post.
 *
 * @example
 * ```ts
 * import { BroadcastChannelFanout, Hub, RoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new RoomLog(kv), { fanout: new BroadcastChannelFanout() });
 * console.log(hub.reach); // fanout
 * ```
 */
export class BroadcastChannelFanout implements Fanout {
  readonly #channel: BroadcastChannel;
  #waiting: Packet[] = [];
  #timer: ReturnType<typeof setImmediate> | undefined;
  #isClosed = false;

  /**
   * Opens the channel.
   *
   * @param name Its name; isolates of different hubs in one process need different ones.
   */
  constructor(name: string = CHANNEL) {
    this.#channel = new BroadcastChannel(name);
  }

  /**
   * Sends a packet with the next post.
   *
   * @param packet The packet.
   */
  publish(packet: Packet): void {
    // A closed channel throws when something is posted.
    if (this.#isClosed) return;
    this.#waiting.push(packet);
    this.#timer ??= setImmediate(() => this.#flush());
  }

  /**
   * Names who takes what arrives.
   *
   * @param listener Takes each packet.
   */
  subscribe(listener: (packet: unknown) => void): void {
    this.#channel.onmessage = ({ data }) => {
      for (const packet of parse(data)) listener(packet);
    };
  }

  /** Sends what waits, and closes the channel. */
  close(): void {
    this.#flush();
    this.#isClosed = true;
    this.#channel.close();
  }

  #flush(): void {
    clearImmediate(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const packets = this.#waiting;
    this.#waiting = [];
    // One string crosses much faster than the same as objects.
    this.#channel.postMessage(JSON.stringify(packets));
  }
}

function parse(data: unknown): unknown[] {
  try {
    const value: unknown = JSON.parse(String(data));
    return Array.isArray(value) ? value : [];
  } catch {
    return []; // Not ours: anybody may post to a channel of this name.
  }
}
