/**
 * What a list of rooms holds.
 *
 * @module
 */

import type { UserRoom } from "../protocol/mod.ts";
import type { ListedRoom } from "./listed_room.ts";
import { LocalRooms } from "./local_rooms.ts";
import type { RoomModel } from "./room_model.ts";
import { messageOfPage } from "./room_state.ts";
import type { UnsentStorage } from "./unsent_store.ts";

/** Rooms that are joined for the list: half of what a connection may be in, and no more than this. */
const WATCHED_MAX = 100;
/** Rooms that are kept. */
const ROOMS_MAX = 500;
/** Why a room that the user has been in is not shown any more. */
const SHUT: readonly string[] = ["banned", "forbidden", "room_deleted"];

/** How {@linkcode ListedRooms} behaves. */
export interface ListedRoomsOptions {
  /** Where rooms outlast the program that the hub does not keep. */
  readonly storage: UnsentStorage | undefined;
  /** The server's base. */
  readonly server: string;
  /** Gives the user's name. */
  readonly user: () => string;
  /** Gives in how many rooms the connection may be, once the hub has told. */
  readonly roomsMax: () => number | undefined;
  /** Gives a room of the connection. */
  readonly model: (name: string) => RoomModel;
  /** Aborted when the client has ended. */
  readonly closing: AbortSignal;
  /** Called after each change. */
  readonly onChange: () => void;
}

/** A room of the list. */
interface Listed {
  /** As the hub listed it last. */
  listed: ListedRoom | undefined;
  /** The room, where it is joined by the list or was by the application. */
  model: RoomModel | undefined;
  /** Ends the observation of it. */
  end: () => void;
  isWatched: boolean;
  /** What was shown last. */
  shown: ListedRoom | undefined;
  /** The mark as the client keeps it, where the hub does not. */
  kept: string | undefined;
}

/** The rooms of a list: those joined are live, the others are as the hub listed them. */
export class ListedRooms {
  readonly #options: ListedRoomsOptions;
  readonly #local: LocalRooms;
  readonly #rooms = new Map<string, Listed>();
  /** Whether the hub keeps no rooms. */
  #isLocal = false;
  /** Whether somebody looks at the list, and it was read. */
  #isLive = false;
  #list: readonly ListedRoom[] | undefined;

  /** @param options The client. */
  constructor(options: ListedRoomsOptions) {
    this.#options = options;
    this.#local = new LocalRooms({ ...options, onChange: () => this.#takeLocal() });
  }

  /** The rooms, newest first; the same list until something of it changes. */
  get list(): readonly ListedRoom[] {
    if (!this.#list) {
      const rooms = [...this.#rooms].flatMap(([name, entry]) => this.#show(name, entry) ?? []);
      rooms.sort((one, other) =>
        one.cursor < other.cursor ? 1 : one.cursor > other.cursor ? -1 : 0
      );
      this.#list = Object.freeze(rooms);
    }
    return this.#list;
  }

  /**
   * Adds a room that the user was let into.
   *
   * @param name Its name.
   */
  add(name: string): void {
    const entry = this.#entry(name);
    this.#observe(name, entry);
    // It stays live in the list when the application leaves it.
    if (this.#isLive && !entry.isWatched) {
      if (this.#watched.length >= this.#most) this.#unwatchOldest();
      entry.isWatched = entry.model!.isWatched = true;
    }
    this.#changed(name);
  }

  /**
   * Forgets a room.
   *
   * @param name Its name.
   */
  forget(name: string): void {
    this.#local.delete(name);
    this.#remove(name);
    this.#changed();
  }

  /**
   * Takes what the hub lists, and joins the first of them.
   *
   * @param rooms The rooms, newest first; undefined where the hub keeps none.
   */
  take(rooms: readonly UserRoom[] | undefined): void {
    this.#isLocal = rooms === undefined;
    if (!rooms) {
      this.#takeLocal();
      return;
    }
    const names = new Set(rooms.map(({ room }) => room));
    for (const [name, { model }] of this.#rooms) {
      if (!names.has(name) && !model?.isUsed) this.#remove(name);
    }
    for (const room of rooms) this.#takeRoom(room);
    this.#watch([...names]);
  }

  /** Leaves the rooms that only the list was in. */
  stop(): void {
    this.#isLive = false;
    for (const entry of this.#rooms.values()) this.#unwatch(entry);
  }

  #takeRoom({ last, ...room }: UserRoom): void {
    const entry = this.#entry(room.room);
    const newest = last ? messageOfPage(last, this.#options.user()) : undefined;
    entry.listed = { ...room, last: newest };
    const { reading } = entry.model ?? {};
    // What is live is newer than what was listed.
    if (reading?.isLive) reading.unread.move(room.read);
    else reading?.unread.listed(entry.listed as ListedRoom & { read: string });
  }

  #takeLocal(): void {
    if (!this.#isLocal) return;
    const { marks } = this.#local;
    for (const [name, read] of marks) {
      const entry = this.#entry(name);
      this.#observe(name, entry);
      entry.model!.reading.unread.restore(read);
    }
    this.#watch([...marks.keys()].reverse());
  }

  #watch(names: readonly string[]): void {
    this.#isLive = true;
    const watched = new Set(names.slice(0, this.#most));
    for (const [name, entry] of this.#rooms) {
      if (!watched.has(name)) this.#unwatch(entry);
      else if (!entry.isWatched) {
        const isNew = entry.model === undefined;
        this.#observe(name, entry);
        const { reading } = entry.model!;
        if (isNew && entry.listed && !reading.isLive) {
          reading.unread.listed(entry.listed as ListedRoom & { read: string });
        }
        entry.isWatched = true;
        entry.model!.isWatched = true;
      }
    }
    this.#changed();
  }

  /** In how many rooms the list may be. */
  get #most(): number {
    const roomsMax = this.#options.roomsMax() ?? 2 * WATCHED_MAX;
    return Math.min(WATCHED_MAX, Math.floor(roomsMax / 2));
  }

  get #watched(): Listed[] {
    return [...this.#rooms.values()].filter(({ isWatched }) => isWatched);
  }

  #unwatchOldest(): void {
    const [oldest] = this.#watched.sort((one, other) => {
      return (one.shown?.cursor ?? "") < (other.shown?.cursor ?? "") ? -1 : 1;
    });
    if (oldest) this.#unwatch(oldest);
  }

  #unwatch(entry: Listed): void {
    if (!entry.isWatched) return;
    entry.isWatched = false;
    entry.model!.isWatched = false;
  }

  #entry(name: string): Listed {
    const known = this.#rooms.get(name);
    if (known) return known;
    const entry: Listed = {
      listed: undefined,
      model: undefined,
      end: () => {},
      isWatched: false,
      shown: undefined,
      kept: undefined,
    };
    this.#rooms.set(name, entry);
    if (this.#rooms.size > ROOMS_MAX) this.#removeOldest();
    return entry;
  }

  #observe(name: string, entry: Listed): void {
    if (entry.model) return;
    entry.model = this.#options.model(name);
    const onChange = () => this.#changed(name);
    entry.end = entry.model.observers.add({ onUnread: onChange, onClosed: onChange });
  }

  #remove(name: string): void {
    const entry = this.#rooms.get(name);
    if (!entry) return;
    this.#unwatch(entry);
    entry.end();
    this.#rooms.delete(name);
  }

  #removeOldest(): void {
    const idle = [...this.#rooms].filter(([, { isWatched, model }]) =>
      !isWatched && !model?.isUsed
    );
    const [oldest] = idle.sort(([, one], [, other]) => {
      return (one.shown?.cursor ?? "") < (other.shown?.cursor ?? "") ? -1 : 1;
    });
    if (oldest) this.#remove(oldest[0]);
  }

  #changed(name?: string): void {
    const entry = name === undefined ? undefined : this.#rooms.get(name);
    if (entry) this.#keep(name!, entry);
    this.#list = undefined;
    this.#options.onChange();
  }

  #keep(name: string, entry: Listed): void {
    const { isKept, unread: { read } } = entry.model!.reading;
    // A hub that keeps marks says so as it lets the user in.
    if (isKept !== false || read === undefined || read === entry.kept) return;
    entry.kept = read;
    this.#local.set(name, read);
  }

  #show(room: string, entry: Listed): ListedRoom | undefined {
    const { model, listed, shown } = entry;
    if (!model) return listed;
    const { error, status } = model.membership;
    if (status === "closed" && error && SHUT.includes(error.code)) return undefined;
    const { view: { unread, mentions }, read, head: cursor, last } = model.reading.unread;
    const isSame = shown?.unread === unread && shown.mentions === mentions &&
      shown.read === read && shown.cursor === cursor && shown.last === last;
    if (!isSame) entry.shown = { room, unread, mentions, read, cursor, last };
    return entry.shown;
  }
}
