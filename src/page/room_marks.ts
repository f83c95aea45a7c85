/**
 * Where a reader stands in the rooms.
 *
 * @module
 */

import type { KnownRoom, Memory } from "./memory.ts";

/**
 * The rooms that a reader has been in, and how far each was read. Wherever they are kept, a mark never
 * moves back.
 */
export interface RoomMarks {
  /** The rooms, in the order in which they were first entered. */
  readonly rooms: readonly KnownRoom[];
  /** Whether it is known which rooms they are: who joins one that was left elsewhere is in it again. */
  readonly isReady: boolean;
  /** Adds a room; one that is there stays as it is. */
  add(room: string): void;
  /** Notes where a room ends that was not read before: what is there already counts as read. */
  begin(room: string, cursor: string): void;
  /** Notes how far a room was read. */
  read(room: string, cursor: string): void;
  /** Mutes a room, or no longer. */
  mute(room: string, isMuted: boolean): void;
  /** Forgets a room. */
  forget(room: string): void;
}

/** Rooms that are kept; the one that was entered first goes first. */
export const ROOMS_MAX = 100;

/** Marks in this browser: where the server keeps none, because anybody may take any name. */
export class LocalRoomMarks implements RoomMarks {
  readonly isReady = true;
  readonly #memory: Memory;
  readonly #user: string;
  /** Where nothing may be kept. */
  #rooms: readonly KnownRoom[];

  /**
   * @param memory The storage of the page.
   * @param user The reader.
   * @param onChange Called when another tab has changed them.
   */
  constructor(memory: Memory, user: string, onChange: () => void) {
    this.#memory = memory;
    this.#user = user;
    this.#rooms = memory.rooms(user) ?? [];
    memory.watchRooms(user, () => {
      this.#rooms = memory.rooms(user) ?? [];
      onChange();
    });
  }

  get rooms(): readonly KnownRoom[] {
    return this.#rooms;
  }

  add(room: string): void {
    this.#change((rooms) => {
      return rooms.some((known) => known.room === room) ? rooms : [...rooms, { room }];
    });
  }

  begin(room: string, cursor: string): void {
    this.read(room, cursor);
  }

  read(room: string, cursor: string): void {
    const isFurther = (known: KnownRoom) => known.room === room && !(known.read! >= cursor);
    if (!this.#rooms.some(isFurther)) return;
    this.#change((rooms) => {
      return rooms.map((known) => isFurther(known) ? { ...known, read: cursor } : known);
    });
  }

  mute(room: string, isMuted: boolean): void {
    this.#change((rooms) => {
      return rooms.map((known) => known.room === room ? { ...known, isMuted } : known);
    });
  }

  forget(room: string): void {
    this.#change((rooms) => rooms.filter((known) => known.room !== room));
  }

  /** Changes what is kept now: another tab may have changed it, too. */
  #change(change: (rooms: readonly KnownRoom[]) => readonly KnownRoom[]): void {
    const kept = this.#memory.rooms(this.#user) ?? this.#rooms;
    this.#rooms = change(kept).slice(-ROOMS_MAX);
    this.#memory.setRooms(this.#user, this.#rooms);
  }
}
