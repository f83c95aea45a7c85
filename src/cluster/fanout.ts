/**
 * How isolates reach each other.
 *
 * @module
 */

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
 * import { type Fanout, Hub, KvRoomLog } from "@hubbub/hub";
 *
 * // Reaches hubs of the same process that are given the same set.
 * class LocalFanout implements Fanout {
 *   #listener: (message: unknown) => void = () => {};
 *   constructor(readonly all: Set<LocalFanout>) {
 *     all.add(this);
 *   }
 *   publish(message: unknown) {
 *     for (const { hear } of this.all) queueMicrotask(() => hear(message));
 *   }
 *   subscribe(listener: (message: unknown) => void) {
 *     this.#listener = listener;
 *   }
 *   close() {
 *     this.all.delete(this);
 *   }
 *   hear = (message: unknown) => this.#listener(message);
 * }
 *
 * using kv = await Deno.openKv(":memory:");
 * const all = new Set<LocalFanout>();
 * await using here = new Hub(new KvRoomLog(kv), { fanout: new LocalFanout(all) });
 * await using there = new Hub(new KvRoomLog(kv), { fanout: new LocalFanout(all) });
 * console.log(here.reach, there.reach); // fanout fanout
 * ```
 */
export interface Fanout {
  /**
   * Sends a packet to all other isolates, at some time soon.
   *
   * @param packet The packet: plain JSON values.
   */
  publish(message: unknown): void;
  /**
   * Names who takes what arrives. Called once, before the first `publish`.
   *
   * @param listener Takes whatever came in; it checks the shape and does not throw.
   */
  subscribe(listener: (message: unknown) => void): void;
  /** Sends what waits, and stops: what is published later is dropped. */
  close(): void;
}
