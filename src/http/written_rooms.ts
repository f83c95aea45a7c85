/**
 * The rooms that requests have written to lately.
 *
 * @module
 */

import type { Hub } from "../hub/hub.ts";

/** Milliseconds that a room stays in memory after a request has written to it. */
const STAYS_MS = 10_000;
/** Rooms that stay at most: the one that was written to longest ago goes first. */
const ROOMS_MAX = 128;

/** A room that stays. */
interface Written {
  readonly hold: Disposable;
  readonly untilMs: number;
}

/** What keeps rooms in memory. */
export type RoomHolder = Pick<Hub, "hold">;

/**
 * Keeps rooms in memory that requests have written to a moment ago. A room that nobody is in leaves it
 * after each message otherwise, and the next one reads its log back, as far as repeats are recognised:
 * with 500 long messages that took 70 ms of the processor a message.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { WrittenRooms } from "./written_rooms.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * const written = new WrittenRooms(hub);
 * written.keep("lobby");
 * console.log(hub.roomCount); // 1
 * written.stop();
 * console.log(hub.roomCount); // 0
 * ```
 */
export class WrittenRooms {
  readonly #hub: RoomHolder;
  readonly #now: () => number;
  /** By name, the one that was written to longest ago first. */
  readonly #rooms = new Map<string, Written>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /**
   * Starts without rooms.
   *
   * @param hub The hub.
   * @param now Milliseconds on a clock that never goes back.
   */
  constructor(hub: RoomHolder, now: () => number = () => performance.now()) {
    this.#hub = hub;
    this.#now = now;
  }

  /**
   * Keeps a room for a while.
   *
   * @param room Its name, already checked.
   */
  keep(room: string): void {
    if (this.#isOver) return;
    // First the new one: the room must not go between the two.
    const hold = this.#hub.hold(room);
    this.#release(room);
    this.#rooms.set(room, { hold, untilMs: this.#now() + STAYS_MS });
    const [oldest] = this.#rooms.keys();
    if (this.#rooms.size > ROOMS_MAX) this.#release(oldest);
    this.#timer ??= setTimeout(() => this.#look(), STAYS_MS);
  }

  /** Lets all rooms go, and keeps none any more. */
  stop(): void {
    this.#isOver = true;
    for (const room of [...this.#rooms.keys()]) this.#release(room);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#now();
    for (const [room, { untilMs }] of [...this.#rooms]) {
      if (untilMs > now) {
        this.#timer = setTimeout(() => this.#look(), untilMs - now);
        return;
      }
      this.#release(room);
    }
  }

  #release(room: string): void {
    const written = this.#rooms.get(room);
    this.#rooms.delete(room);
    written?.hold[Symbol.dispose]();
  }
}
