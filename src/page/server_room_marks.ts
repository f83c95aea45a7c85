/**
 * Where a reader stands in the rooms, as the server keeps it.
 *
 * @module
 */

import type { ChatClient } from "../client/mod.ts";
import type { KnownRoom, Memory } from "./memory.ts";
import { type RoomMarks, ROOMS_MAX } from "./room_marks.ts";

/** The options of {@linkcode ServerRoomMarks}. */
export interface ServerRoomMarksOptions {
  /** The connection. */
  readonly client: ChatClient;
  /** The storage of the page: for the order of the rooms, and which are muted. */
  readonly memory: Memory;
  /** The reader. */
  readonly user: string;
  /** Called when something has changed, on whatever device. */
  readonly onChange: () => void;
}

/** Marks at the server, which knows who reads: they are the same on every device. */
export class ServerRoomMarks implements RoomMarks {
  readonly #options: ServerRoomMarksOptions;
  /** Rooms that were entered on this page: the list of the server may be older. */
  readonly #added = new Set<string>();
  readonly #forgotten = new Set<string>();
  #kept: readonly KnownRoom[];

  /** @param options The connection. */
  constructor(options: ServerRoomMarksOptions) {
    this.#options = options;
    const { client, memory, user, onChange } = options;
    this.#kept = memory.rooms(user) ?? [];
    memory.watchRooms(user, () => {
      this.#kept = memory.rooms(user) ?? [];
      onChange();
    });
    client.rooms.subscribe(() => {
      this.#keep(this.rooms);
      onChange();
    });
  }

  get isReady(): boolean {
    return this.#options.client.rooms.snapshot.status === "live";
  }

  get rooms(): readonly KnownRoom[] {
    const { rooms } = this.#options.client.rooms.snapshot;
    const marks = new Map(rooms.map(({ room, read }) => [room, read]));
    const isThere = (room: string) => !this.isReady || marks.has(room) || this.#added.has(room);
    const kept = this.#kept.filter(({ room }) => isThere(room)).map((known) => {
      const { read = "" } = known;
      const mark = marks.get(known.room) ?? "";
      return mark > read ? { ...known, read: mark } : known;
    });
    const names = new Set(kept.map(({ room }) => room));
    const others = rooms.filter(({ room }) => !names.has(room) && !this.#forgotten.has(room));
    return [...kept, ...others.map(({ room, read }) => ({ room, read }))].slice(0, ROOMS_MAX);
  }

  add(room: string): void {
    this.#added.add(room);
    this.#forgotten.delete(room);
    const { rooms } = this;
    if (!rooms.some((known) => known.room === room)) this.#keep([...rooms, { room }]);
  }

  /** The server notes that by itself. */
  begin(): void {}

  read(room: string, cursor: string): void {
    this.#options.client.room(room).markRead({ cursor });
  }

  mute(room: string, isMuted: boolean): void {
    this.#keep(this.rooms.map((known) => known.room === room ? { ...known, isMuted } : known));
  }

  forget(room: string): void {
    this.#added.delete(room);
    this.#forgotten.add(room);
    this.#keep(this.rooms.filter((known) => known.room !== room));
    // Where the server cannot be reached, the room is back with the next page.
    this.#options.client.rooms.forget(room).catch(() => {});
  }

  #keep(rooms: readonly KnownRoom[]): void {
    const { memory, user } = this.#options;
    const isSame = JSON.stringify(rooms) === JSON.stringify(this.#kept);
    this.#kept = rooms;
    if (!isSame) memory.setRooms(user, rooms);
  }
}
