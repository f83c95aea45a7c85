/**
 * The contract of a fan-out between isolates.
 *
 * @module
 */

/**
 * A publish and subscribe channel between the isolates that share a log. It may drop, repeat and
 * reorder messages: the hub heals messages from the log, presence and typing by repetition and
 * expiry. It should be fast, and reach every isolate that it reaches at all.
 *
 * An implementation MUST NOT call the listener from within `publish`, SHOULD NOT throw (what it
 * throws is counted and logged, and the message is lost), and MAY hand an isolate its own messages:
 * they are ignored.
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
 *     for (const { deliver } of this.all) queueMicrotask(() => deliver(message));
 *   }
 *   subscribe(listener: (message: unknown) => void) {
 *     this.#listener = listener;
 *   }
 *   close() {
 *     this.all.delete(this);
 *   }
 *   deliver = (message: unknown) => this.#listener(message);
 * }
 *
 * using kv = await Deno.openKv(":memory:");
 * const all = new Set<LocalFanout>();
 * await using first = new Hub(new KvRoomLog(kv), { fanout: new LocalFanout(all) });
 * await using second = new Hub(new KvRoomLog(kv), { fanout: new LocalFanout(all) });
 * console.log(first.reach, second.reach); // fanout fanout
 * ```
 */
export interface Fanout {
  /**
   * Sends a message to all other isolates, soon.
   *
   * @param message The message: plain JSON values.
   */
  publish(message: unknown): void;
  /**
   * Sets the listener. Called once, before the first `publish`.
   *
   * @param listener Receives what arrives; checks its shape and does not throw.
   */
  subscribe(listener: (message: unknown) => void): void;
  /** Sends what waits, and stops: what is published later is dropped. */
  close(): void;
}
