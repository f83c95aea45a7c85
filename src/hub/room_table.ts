/**
 * The rooms of a hub that are in memory.
 *
 * @module
 */

import { EVERYWHERE } from "./everywhere.ts";
import { LingeringRooms } from "./lingering_rooms.ts";
import { DELETED } from "./member_problems.ts";
import type { Room } from "./room.ts";

/**
 * Rooms by name: brought into memory when they are needed, and forgotten a moment after nothing uses
 * them any more.
 */
export class RoomTable {
  readonly #rooms = new Map<string, Room>();
  /** Those of them that stay for a moment. */
  readonly #lingering = new LingeringRooms<Room>((room) => this.#forget(room));
  readonly #create: (name: string, onIdle: () => void) => Room;
  readonly #onForget: (name: string) => void;
  #isOver = false;

  /**
   * Starts without rooms.
   *
   * @param create Creates a room that calls back whenever nothing uses it any more.
   * @param onForget Called with each room that leaves memory while the hub goes on.
   */
  constructor(
    create: (name: string, onIdle: () => void) => Room,
    onForget: (name: string) => void,
  ) {
    this.#create = create;
    this.#onForget = onForget;
  }

  /** How many rooms are in memory and in use. */
  get size(): number {
    const others = this.#lingering.size + (this.#rooms.has(EVERYWHERE) ? 1 : 0);
    return this.#rooms.size - others;
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
   * @returns The room, which is forgotten again a moment after nothing uses it any more.
   */
  obtain(name: string): Room {
    const known = this.#rooms.get(name);
    if (known) return known;
    const room = this.#create(name, () => this.#idle(room));
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
    this.#forget(room);
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
    this.#lingering.clear();
    this.#isOver = true;
    return rooms.flatMap((room) => room.dismiss());
  }

  #idle(room: Room): void {
    if (!room.isIdle || this.#rooms.get(room.name) !== room) return;
    // Where nothing was read, nothing would have to be read again.
    if (room.isInUse && !this.#isOver) this.#lingering.add(room);
    else this.#forget(room);
  }

  #forget(room: Room): void {
    this.#rooms.delete(room.name);
    this.#lingering.delete(room);
    room.dismiss();
    this.#onForget(room.name);
  }
}
