/**
 * Read marks: how far users have read their rooms.
 *
 * @module
 */

import { markOf, type ReadMark, type UserRooms } from "../store/user_rooms.ts";
import type { Guard } from "../telemetry/guard.ts";
import type { RoomLog } from "../store/room_log.ts";
import { UnreadCounts } from "./unread_counts.ts";
import { type Read, type Reader, UserMarks, writeMarks } from "./user_marks.ts";

/** Rooms of users without a connection that are known to be written down, at most. */
const ENTERED_MAX = 10_000;

/** The read marks of a user, as one of its connections uses them. */
export interface ReaderMarks extends Disposable {
  /**
   * Reads the mark of a room.
   *
   * @param room The room.
   * @returns The mark, or undefined where the user was never in the room.
   */
  markOf(room: string): ReadMark | undefined;
  /**
   * Writes a room down, with what stands in it as read, unless it is known.
   *
   * @param room The room.
   * @param cursor Where its log ends.
   */
  enter(room: string, cursor: string): void;
  /**
   * Moves the mark of a room on.
   *
   * @param room The room.
   * @param cursor The newest message that was read.
   */
  read(room: string, cursor: string): void;
  /**
   * Counts what is unread.
   *
   * @param room The room.
   * @param from Where its log ends, and up to where it was read.
   * @param reader Who has not read it.
   * @returns How many messages, and how many of them mention the reader: 0 to 100.
   */
  count(
    room: string,
    from: { readonly head: string; readonly mark: ReadMark },
    reader: { readonly user: string; readonly name?: string },
  ): Promise<{ readonly unread: number; readonly mentions: number }>;
}

/** How {@linkcode ReadMarks} behaves. */
export interface ReadMarksOptions {
  /** The rooms' logs, and where marks are kept. */
  readonly log: RoomLog;
  /** Reports failures. */
  readonly guard: Guard;
  /** Tells other isolates that a mark moved. */
  readonly post: (read: Read) => void;
}

/** The read marks of the users that are connected to this isolate, and of those who only ask. */
export class ReadMarks {
  /** Counts what is unread. */
  readonly counts: UnreadCounts;
  readonly #options: ReadMarksOptions & { readonly store: UserRooms };
  readonly #users = new Map<string, UserMarks>();
  /** Users that are being read, and the connections that wait for it. */
  readonly #loading = new Map<string, { marks: Promise<UserMarks>; readers: Set<Reader> }>();
  /** Rooms and users without a connection that are known to be written down. */
  readonly #entered = new Set<string>();

  /** @param options Where they are kept. */
  constructor(options: ReadMarksOptions) {
    const { log } = options;
    this.#options = { ...options, store: log.userRooms };
    this.counts = new UnreadCounts(log);
  }

  /**
   * Begins to use the marks of a user for a connection.
   *
   * @param user The user.
   * @param reader The connection.
   * @returns The marks, to be disposed of when the connection ends; undefined where they cannot be read
   * now. Never rejects.
   */
  async attach(user: string, reader: Reader): Promise<ReaderMarks | undefined> {
    let known: UserMarks;
    try {
      known = this.#users.get(user) ?? await this.#load(user, reader);
    } catch (error) {
      this.#options.guard.failed("read_marks_failed", error);
      return undefined;
    }
    known.add(reader);
    return {
      markOf: (room) => known.marks.get(room),
      enter: (room, cursor) => {
        if (!known.marks.has(room)) known.move(room, markOf(cursor));
      },
      read: (room, cursor) => known.move(room, markOf(cursor), reader),
      count: this.counts.count.bind(this.counts),
      [Symbol.dispose]: () => known.remove(reader),
    };
  }

  /**
   * Reads the rooms of a user.
   *
   * @param user The user.
   * @returns By room, the mark.
   * @throws Whatever the store rejects with.
   */
  async list(user: string): Promise<ReadonlyMap<string, ReadMark>> {
    // What is stored: another isolate may have written a room down, or forgotten one.
    const stored = await this.#options.store.list(user);
    return this.#users.get(user)?.addPending(stored) ?? stored;
  }

  /**
   * Moves a mark on for somebody without a connection, and tells the user's connections.
   *
   * @param user The user.
   * @param room The room.
   * @param cursor The newest message that was read.
   * @returns Settles when it is written.
   * @throws Whatever the store rejects with.
   */
  async read(user: string, room: string, cursor: string): Promise<void> {
    const mark = markOf(cursor);
    await writeMarks(this.#options.store, user, new Map([[room, mark]]));
    this.receive({ user, room, mark });
    this.#options.post({ user, room, mark });
  }

  /**
   * Writes a room down for somebody without a connection, unless it is known: who posts a message was
   * there. Never rejects.
   *
   * @param user The user.
   * @param room The room.
   * @param cursor The message.
   */
  async enter(user: string, room: string, cursor: string): Promise<void> {
    const { store, guard } = this.#options;
    const known = this.#users.get(user);
    if (known) {
      if (!known.marks.has(room)) known.move(room, markOf(cursor));
      return;
    }
    const key = `${room} ${user}`;
    if (this.#entered.has(key)) return;
    if (this.#entered.size >= ENTERED_MAX) this.#entered.clear();
    this.#entered.add(key);
    try {
      if ((await store.list(user)).has(room)) return;
      await writeMarks(store, user, new Map([[room, markOf(cursor)]]));
    } catch (error) {
      this.#entered.delete(key);
      guard.failed("read_marks_failed", error);
    }
  }

  /**
   * Forgets a room of a user, with its mark. It is written down again when the user joins it again.
   *
   * @param user The user.
   * @param room The room.
   * @throws Whatever the store rejects with.
   */
  async forget(user: string, room: string): Promise<void> {
    this.#entered.delete(`${room} ${user}`);
    await this.#users.get(user)?.forget(room);
    await this.#options.store.forget(user, [room]);
  }

  /** Learns that a mark moved elsewhere, and tells the user's connections. */
  readonly receive = ({ user, room, mark }: Read): void => {
    this.#users.get(user)?.receive(room, mark);
  };

  /** Settles when all marks are written that were moved before; then none is. Never rejects. */
  async idle(): Promise<void> {
    this.counts.close();
    await Promise.all([...this.#users.values()].map((known) => known.idle()));
  }

  /** Stops: marks that were not written yet are lost. */
  close(): void {
    this.counts.close();
    for (const known of this.#users.values()) known.close();
  }

  #load(user: string, reader: Reader): Promise<UserMarks> {
    const loading = this.#loading.get(user);
    loading?.readers.add(reader);
    if (loading) return loading.marks;
    const readers = new Set([reader]);
    const marks = this.#read(user, readers);
    this.#loading.set(user, { marks, readers });
    return marks;
  }

  async #read(user: string, readers: ReadonlySet<Reader>): Promise<UserMarks> {
    try {
      const marks = await this.#options.store.list(user);
      const onIdle = () => {
        if (this.#users.get(user) === known) this.#users.delete(user);
      };
      const known = new UserMarks(user, marks, { ...this.#options, onIdle });
      this.#users.set(user, known);
      for (const reader of readers) known.add(reader);
      return known;
    } finally {
      this.#loading.delete(user);
    }
  }
}
