/**
 * The rooms of a hub that are in memory.
 *
 * @module
 */

import { EVERYWHERE } from "./everywhere.ts";
import { DELETED } from "./member_problems.ts";
import type { Room } from "./room.ts";

/**
 * Rooms by name: brought into memory when they are needed, and forgotten when nothing keeps them.
 */
export class RoomTable {
  readonly #rooms = new Map<string, Room>();
  readonly #create: (name: string, onIdle: () => void) => Room;

  readonly #onForget: (name: string) => void;

  /**
   * Starts without rooms.
   *
   * @param create Creates a room that calls back whenever nothing keeps it in memory.
   * @param onForget Called with each room that leaves memory while the hub goes on.
   */
  constructor(
    create: (name: string, onIdle: () => void) => Room,
    onForget: (name: string) => void,
  ) {
    this.#create = create;
    this.#onForget = onForget;
  }

  /** How many rooms are in memory. */
  get size(): number {
    return this.#rooms.size - (this.#rooms.has(EVERYWHERE) ? 1 : 0);
  }

  /** The rooms that are in memory. */
  all(): Iterable<Room> {
    return this.#rooms.values();
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

  /** The rooms that are open or being opened. */
  *open(): Generator<Room> {
    for (const room of this.#rooms.values()) if (room.isInUse) yield room;
  }

  /**
   * Finds a room that is open or being opened.
   *
   * @param name Its name.
   * @returns The room, or undefined.
   */
  findOpen(name: string): Room | undefined {
    const room = this.#rooms.get(name);
    return room?.isInUse ? room : undefined;
  }

  /** Removes all rooms whose log is no longer the one that was read, and closes their members. */
  disconnect(code: number, reason: string): void {
    for (const room of [...this.#rooms.values()]) {
      this.#end(room, (subscription) => subscription.disconnect(code, reason));
    }
  }

  /**
   * Removes a room that was deleted, and its members: who comes next gets a new one.
   *
   * @param name Its name.
   */
  delete(name: string): void {
    const room = this.#rooms.get(name);
    if (!room) return;
    const problem = { code: "room_deleted", message: DELETED } as const;
    this.#end(room, (subscription) => {
      if (subscription.state === "joining") subscription.refuseJoin(problem);
      else subscription.putOut(problem.code, problem.message);
    });
  }

  #end(room: Room, leave: (subscription: ReturnType<Room["all"]>[number]) => void): void {
    using _hold = room.hold();
    // Each of them leaves, so that presence is right.
    for (const subscription of room.all()) leave(subscription);
    this.#rooms.delete(room.name);
    room.dismiss();
    this.#onForget(room.name);
  }

  /** Holds no appends back any more, of none of the rooms. */
  release(): void {
    for (const room of this.#rooms.values()) room.pacer.release();
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
    this.#onForget(room.name);
  }
}
