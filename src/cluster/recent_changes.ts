/**
 * Changes of presence that heartbeats tell of once more.
 *
 * @module
 */

/** Heartbeats that tell of a change. */
const BEATS = 3;
/** The most rooms that one tells of. */
const ROOMS_MAX = 100;

/** Rooms whose users on this isolate changed lately, with their revisions. */
export class RecentChanges {
  readonly #rooms = new Map<string, { readonly revision: number; beats: number }>();

  /**
   * Adds a change.
   *
   * @param room The room.
   * @param revision The revision since the change.
   */
  add(room: string, revision: number): void {
    this.#rooms.delete(room);
    this.#rooms.set(room, { revision, beats: BEATS });
    if (this.#rooms.size > ROOMS_MAX) this.#rooms.delete(this.#rooms.keys().next().value!);
  }

  /** What a heartbeat tells. */
  list(): (readonly [room: string, revision: number])[] {
    return [...this.#rooms].map(([room, { revision }]) => [room, revision]);
  }

  /** Notes that a heartbeat has told of them. */
  told(): void {
    for (const [room, change] of this.#rooms) if (--change.beats === 0) this.#rooms.delete(room);
  }
}
