/**
 * The rooms that connections from an address are in.
 *
 * @module
 */

/**
 * How many times as many stays as rooms an address may have: those of an office are in the same
 * rooms.
 */
const STAYS_PER_ROOM = 25;

/** What an address holds. */
interface Held {
  readonly rooms: Map<string, number>;
  stays: number;
}

/**
 * Counts, by address, the rooms that its connections are in, and their stays in them: a room that
 * somebody is in is kept in memory with its newest messages, and a connection of protocol 2 is in
 * 200. One address took a gigabyte with 100 connections.
 *
 * @example
 * ```ts
 * import { AddressRooms } from "./address_rooms.ts";
 *
 * const rooms = new AddressRooms(2);
 * rooms.enter("192.0.2.1", "lobby");
 * rooms.enter("192.0.2.1", "kitchen");
 * console.log(rooms.isFull("192.0.2.1", "lobby"), rooms.isFull("192.0.2.1", "attic")); // false true
 * ```
 */
export class AddressRooms {
  readonly #max: number;
  readonly #addresses = new Map<string, Held>();

  /** @param max Rooms of an address at the same time; 0 is no limit. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Tells whether an address may not be in one more room.
   *
   * @param address The address.
   * @param room The room.
   * @returns True where it has too many rooms or stays.
   */
  isFull(address: string, room: string): boolean {
    const held = this.#addresses.get(address);
    if (this.#max === 0 || !held) return false;
    if (held.stays >= STAYS_PER_ROOM * this.#max) return true;
    return held.rooms.size >= this.#max && !held.rooms.has(room);
  }

  /**
   * Counts a stay.
   *
   * @param address The address; nothing is counted where it is unknown.
   * @param room The room.
   */
  enter(address: string | undefined, room: string): void {
    if (address === undefined) return;
    let held = this.#addresses.get(address);
    if (!held) this.#addresses.set(address, held = { rooms: new Map(), stays: 0 });
    held.stays++;
    held.rooms.set(room, (held.rooms.get(room) ?? 0) + 1);
  }

  /**
   * Counts a stay no longer.
   *
   * @param address The address.
   * @param room The room.
   */
  exit(address: string | undefined, room: string): void {
    const held = address === undefined ? undefined : this.#addresses.get(address);
    const stays = held?.rooms.get(room);
    if (!held || stays === undefined) return;
    held.stays--;
    if (stays > 1) held.rooms.set(room, stays - 1);
    else held.rooms.delete(room);
    if (held.stays === 0) this.#addresses.delete(address!);
  }
}
