/**
 * The contract of a fan-out between isolates.
 *
 * @module
 */

/** What a fan-out may ask of the hub that it belongs to. */
export interface FanoutHub {
  /**
   * Reads the id of the hub's database, the same for all hubs over it. A fan-out whose medium other
   * systems use as well keeps them apart by it.
   *
   * @returns The id, of letters, digits and hyphens.
   * @throws Whatever the store rejects with; ask again later.
   */
  databaseId(): Promise<string>;
  /**
   * Reports what went wrong outside of a call, for the log.
   *
   * @param error What it is.
   */
  failed?(error: unknown): void;
}

/**
 * A publish and subscribe channel between the isolates that share a log. It may drop, repeat and
 * reorder messages: the hub heals messages from the log, presence and typing by repetition and
 * expiry. It should be fast, and reach every isolate that it reaches at all.
 *
 * An implementation MUST NOT call the listener from within `publish`, SHOULD NOT throw (what it
 * throws is counted and logged, and the message is lost), MAY hand an isolate its own messages, and
 * those of rooms that it has not joined: they are ignored. It connects again by itself, however
 * often its medium fails, and MUST bound what it keeps meanwhile.
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
   * The longest message that it takes, in bytes of JSON in UTF-8. The hub cuts longer ones into
   * pieces, or sends less. It may change from one message to the next.
   *
   * @default {Infinity}
   */
  readonly messageMaxBytes?: number;
  /**
   * Whether it reaches the others now, as far as it knows.
   *
   * @default {true}
   */
  readonly isConnected?: boolean;
  /** Messages that it dropped, since it was not connected or too much waited. @default {0} */
  readonly dropped?: number;
  /**
   * Sends a message to other isolates, soon.
   *
   * @param message The message: plain JSON values.
   * @param room The room whose isolates alone need it: those that joined it. Where it is left out,
   * all isolates need it.
   */
  publish(message: unknown, room?: string): void;
  /**
   * Sets the listener, and connects. Called once, before anything else.
   *
   * @param listener Receives what arrives; checks its shape and does not throw.
   * @param hub What can be asked of the hub.
   * @returns Settles when it is connected, where that takes time: what is published until then may
   * be lost. Where it rejects, that is logged and counted.
   */
  subscribe(listener: (message: unknown) => void, hub: FanoutHub): void | Promise<void>;
  /**
   * Asks for the messages of a room, from now on. Called once while it is joined, whether connected
   * or not. A message that is published in the room after this call may be answered by others, and
   * those answers are to arrive.
   *
   * @default {undefined} messages of all rooms arrive
   * @param room The room.
   */
  join?(room: string): void;
  /**
   * Asks for the messages of a room no longer.
   *
   * @param room A room that was joined.
   */
  leave?(room: string): void;
  /**
   * Sends what waits, and stops: what is published later is dropped.
   *
   * @returns Settles when it has disconnected, where that takes time.
   */
  close(): void | Promise<void>;
}
