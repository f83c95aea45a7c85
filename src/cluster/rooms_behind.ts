/**
 * Rooms that stand behind their log.
 *
 * @module
 */

import { commitOf, cursorAt } from "../store/cursor.ts";
import type { Pauses } from "./pauses.ts";
import type { WatchedRoom } from "./watched_room.ts";

/** Milliseconds that a fan-out in which others are heard gets before a room reads its log. */
const GRACE_MS = 150;

/** How {@linkcode RoomsBehind} behave. */
export interface RoomsBehindOptions {
  /** Finds a room in memory that is open or being opened. */
  readonly find: (name: string) => WatchedRoom | undefined;
  /** Whether other isolates are heard by a fan-out, which then gets its time. */
  readonly isHeard: () => boolean;
  /** Called with each room that had fallen behind without noticing. */
  readonly onHealed: (room: string) => void;
  /** Where it waits. */
  readonly pauses: Pauses;
}

/** Rooms that others have appended to, which read their log unless a fan-out is faster. */
export class RoomsBehind {
  readonly #options: RoomsBehindOptions;
  /** By room, the first place of the newest commit that it may not have read. */
  readonly #places = new Map<string, string>();
  #isHealing = false;

  /** @param options What is done about them. */
  constructor(options: RoomsBehindOptions) {
    this.#options = options;
  }

  /**
   * Adds rooms, and lets those read that are behind.
   *
   * @param heads By room, the cursor of its newest record.
   */
  add(heads: Iterable<readonly [room: string, cursor: string]>): void {
    for (const [name, cursor] of heads) {
      const room = this.#options.find(name);
      if (!room || room.cursor === cursor) continue;
      const place = cursorAt(commitOf(cursor), 0, 0);
      if ((this.#places.get(name) ?? "") < place) this.#places.set(name, place);
      if (!this.has(name)) this.#places.delete(name);
    }
    this.#healSoon();
  }

  /**
   * Whether a room is behind.
   *
   * @param name The room.
   * @returns True where somebody appended to it after where it stands.
   */
  has(name: string): boolean {
    const place = this.#places.get(name);
    const room = this.#options.find(name);
    return place !== undefined && room !== undefined && room.cursor < place;
  }

  /** Forgets all of them. */
  clear(): void {
    this.#places.clear();
  }

  /** Rooms that are still behind when a fan-out has had its time read their log. */
  #healSoon(): void {
    if (this.#isHealing || this.#places.size === 0) return;
    if (!this.#options.isHeard()) return this.#heal();
    this.#isHealing = true;
    void this.#options.pauses.wait(GRACE_MS).then(() => {
      this.#isHealing = false;
      this.#heal();
    });
  }

  #heal(): void {
    for (const name of [...this.#places.keys()]) {
      const room = this.has(name) ? this.#options.find(name) : undefined;
      this.#places.delete(name);
      if (!room) continue;
      this.#options.onHealed(name);
      // From here on the room knows that it has to read.
      void room.catchUp();
    }
  }
}
