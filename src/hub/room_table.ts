/**
 * The rooms of a hub that are in memory.
 *
 * @module
 */

import type { Room } from "./room.ts";

/**
 * Rooms by name: brought into memory when they are needed, and forgotten when nothing keeps them.
 */
export class RoomTable {
  readonly #rooms = new Map<string, Room>();
  readonly #create: (name: string, onIdle: () => void) => Room;

  /** @param create Creates a room that calls back whenever nothing keeps it in memory. */
  constructor(create: (name: string, onIdle: () => void) => Room) {
    this.#create = create;
  }

  /** How many rooms are in memory. */
  get size(): number {
    return this.#rooms.size;
  }

  /**
   * Finds a room that is in memory.
   *
   * @param name Its name.
   * @returns The room, or undefined.
   */
  find(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /**
   * Finds a room, or brings it into memory.
   *
   * @param name Its name, already checked.
   * @returns The room, which is forgotten again once nothing keeps it.
   */
  obtain(name: string): Room {
    const known = this.#rooms.get(name);
    if (known) return known;
    const room = this.#create(name, () => this.#forget(room));
    this.#rooms.set(name, room);
    return room;
  }

  /** The rooms whose recent messages have been read. */
  *open(): Generator<Room> {
    for (const room of this.#rooms.values()) if (room.isOpen) yield room;
  }

  /**
   * Removes all rooms, and their members without notifying anybody.
   *
   * @returns The subscriptions of those members.
   */
  dismiss(): ReturnType<Room["dismiss"]> {
    const rooms = [...this.#rooms.values()];
    this.#rooms.clear();
    return rooms.flatMap((room) => room.dismiss());
  }

  #forget(room: Room): void {
    if (!room.isIdle || this.#rooms.get(room.name) !== room) return;
    this.#rooms.delete(room.name);
    room.dismiss();
  }
}
