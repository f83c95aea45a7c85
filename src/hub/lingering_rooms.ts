/**
 * The rooms that nothing uses, and that stay in memory for a moment.
 *
 * @module
 */

/** Milliseconds that a room stays after its last use. */
const STAYS_MS = 10_000;
/** Rooms that stay at most: the one that was used longest ago goes first. */
const ROOMS_MAX = 128;

/** A room that may stay. */
interface LingeringRoom {
  /** Whether nothing uses it. */
  readonly isIdle: boolean;
}

/**
 * Lets rooms stay in memory for a moment after their last use. The next one would read the log back
 * otherwise, as far as repeats are recognised: with 500 long messages that took 70 ms of the processor
 * for each message of a request, and for each member that came and left.
 *
 * @example
 * ```ts
 * import { LingeringRooms } from "./lingering_rooms.ts";
 *
 * const rooms = new LingeringRooms((room) => console.log("gone", room));
 * rooms.add({ isIdle: true });
 * console.log(rooms.size); // 1
 * rooms.clear();
 * ```
 */
export class LingeringRooms<R extends LingeringRoom> {
  readonly #onEnd: (room: R) => void;
  readonly #now: () => number;
  /** Until when each stays, the one that was used longest ago first; some are in use again. */
  readonly #rooms = new Map<R, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts without rooms.
   *
   * @param onEnd Called with each room whose time is over, and that nothing uses.
   * @param now Milliseconds on a clock that never goes back.
   */
  constructor(onEnd: (room: R) => void, now: () => number = () => performance.now()) {
    this.#onEnd = onEnd;
    this.#now = now;
  }

  /** How many rooms stay that nothing uses. */
  get size(): number {
    let size = 0;
    for (const { isIdle } of this.#rooms.keys()) if (isIdle) size++;
    return size;
  }

  /**
   * Lets a room stay from now on.
   *
   * @param room The room, whose last use has just ended.
   */
  add(room: R): void {
    this.#rooms.delete(room);
    this.#rooms.set(room, this.#now() + STAYS_MS);
    if (this.#timer === undefined) this.#lookIn(STAYS_MS);
    if (this.#rooms.size > ROOMS_MAX) this.#end(this.#rooms.keys().next().value!);
  }

  /**
   * Forgets a room that has left memory.
   *
   * @param room The room.
   */
  delete(room: R): void {
    this.#rooms.delete(room);
    if (this.#rooms.size === 0) this.#stop();
  }

  /** Forgets all rooms. */
  clear(): void {
    this.#rooms.clear();
    this.#stop();
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#now();
    for (const [room, untilMs] of this.#rooms) {
      if (untilMs > now) {
        this.#lookIn(untilMs - now);
        return;
      }
      this.#end(room);
    }
  }

  #lookIn(ms: number): void {
    const timer = this.#timer = setTimeout(() => this.#look(), ms);
    // A program that has nothing else to do need not wait for it.
    Deno.unrefTimer(timer);
  }

  #end(room: R): void {
    this.#rooms.delete(room);
    if (room.isIdle) this.#onEnd(room);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
