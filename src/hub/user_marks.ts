/**
 * The read marks of one user on this isolate.
 *
 * @module
 */

import { MARKS_MAX, type ReadMark, type UserRooms } from "../store/user_rooms.ts";
import type { Guard } from "../telemetry/guard.ts";

/** Milliseconds between two writes of one user's marks: what comes meanwhile is gathered. */
const WRITE_EVERY_MS = 1_000;
/** Rooms that are kept of one user: beyond them the one that was read longest ago is forgotten. */
export const USER_ROOMS_MAX = 500;
/** Times that marks of a user who is gone are tried to be written, while the store fails. */
const ATTEMPTS_MAX = 30;

/** A connection of a user, as its read marks see it. */
export interface Reader {
  /**
   * Called where another connection of the user has moved a mark. Must not throw.
   *
   * @param room The room.
   * @param mark Up to where the user has read it.
   */
  onRead(room: string, mark: ReadMark): void;
}

/** How far a user has read a room. */
export interface Read {
  /** The user. */
  readonly user: string;
  /** The room. */
  readonly room: string;
  /** Up to where. */
  readonly mark: ReadMark;
}

/** How {@linkcode UserMarks} behaves. */
export interface UserMarksOptions {
  /** Where they are kept. */
  readonly store: UserRooms;
  /** Reports failures. */
  readonly guard: Guard;
  /** Tells other isolates that a mark moved. */
  readonly post: (read: Read) => void;
  /** Called where nothing needs them any more. */
  readonly onIdle: () => void;
}

/**
 * The marks of a user that is connected to this isolate, or was until lately. Marks that move are
 * written and told at most once a second; the last one always is.
 */
export class UserMarks {
  readonly #user: string;
  readonly #options: UserMarksOptions;
  readonly #marks: Map<string, ReadMark>;
  readonly #readers = new Set<Reader>();
  /** Marks that are being written. */
  #unwritten: ReadonlyMap<string, ReadMark> = new Map();
  /** Marks that are to be written. */
  #pending = new Map<string, ReadMark>();
  /** Which connection has moved each: it need not be told. */
  readonly #movers = new Map<string, Reader>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #failures = 0;
  #isClosed = false;

  /**
   * @param user The user.
   * @param marks Its marks, as they are stored.
   * @param options Where they are kept.
   */
  constructor(user: string, marks: ReadonlyMap<string, ReadMark>, options: UserMarksOptions) {
    this.#user = user;
    this.#marks = new Map(marks);
    this.#options = options;
  }

  /** The marks, by room. */
  get marks(): ReadonlyMap<string, ReadMark> {
    return this.#marks;
  }

  /** Adds to what is stored what is not written yet. */
  addPending(stored: ReadonlyMap<string, ReadMark>): ReadonlyMap<string, ReadMark> {
    const marks = new Map(stored);
    for (const unwritten of [this.#unwritten, this.#pending]) {
      for (const [room, mark] of unwritten) raise(marks, room, mark);
    }
    return marks;
  }

  /** Adds a connection. */
  add(reader: Reader): void {
    this.#readers.add(reader);
  }

  /** Removes a connection. */
  remove(reader: Reader): void {
    this.#readers.delete(reader);
    this.release();
  }

  /** Ends them where nothing needs them. */
  release(): void {
    const isIdle = this.#readers.size === 0 && this.#pending.size === 0 && !this.#writing;
    if (!isIdle) return;
    clearTimeout(this.#timer);
    this.#options.onIdle();
  }

  /** Moves a mark, and has it written and told; `from` is the connection that moves it, if one does. */
  move(room: string, mark: ReadMark, from?: Reader): void {
    if (this.#isClosed || !raise(this.#marks, room, mark)) return;
    raise(this.#pending, room, mark);
    if (from) this.#movers.set(room, from);
    if (!this.#writing && this.#timer === undefined) void this.#flush();
  }

  /** Learns that a mark moved elsewhere, and tells the connections. */
  receive(room: string, mark: ReadMark): void {
    if (!raise(this.#marks, room, mark)) return;
    for (const reader of this.#readers) reader.onRead(room, mark);
  }

  /** Forgets a room; settles when nothing is written of it any more. */
  async forget(room: string): Promise<void> {
    this.#marks.delete(room);
    this.#pending.delete(room);
    await this.#writing;
  }

  /** Settles when all is written that was moved before; then nothing is any more. Never rejects. */
  async idle(): Promise<void> {
    await this.#writing;
    clearTimeout(this.#timer);
    if (this.#pending.size > 0) await this.#flush();
    this.close();
  }

  /** Stops: what was not written yet is lost. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #flush(): Promise<void> {
    const pending = this.#pending;
    this.#pending = new Map();
    for (const [room, from] of this.#movers) this.#tell(room, from);
    this.#movers.clear();
    this.#unwritten = pending;
    await (this.#writing = this.#write(pending));
    this.#unwritten = new Map();
    this.#writing = undefined;
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#pending.size > 0) void this.#flush();
      else this.release();
    }, WRITE_EVERY_MS);
  }

  async #write(marks: ReadonlyMap<string, ReadMark>): Promise<void> {
    const { store, guard } = this.#options;
    try {
      for (const room of await writeMarks(store, this.#user, marks, this.#marks.size)) {
        this.#marks.delete(room);
      }
      this.#failures = 0;
    } catch (error) {
      guard.failed("read_marks_failed", error);
      // Once more with what has come meanwhile.
      for (const [room, mark] of marks) raise(this.#pending, room, mark);
      if (++this.#failures >= ATTEMPTS_MAX && this.#readers.size === 0) this.#pending.clear();
    }
  }

  #tell(room: string, from: Reader): void {
    const mark = this.#marks.get(room);
    if (mark === undefined) return;
    for (const reader of this.#readers) if (reader !== from) reader.onRead(room, mark);
    this.#options.post({ user: this.#user, room, mark });
  }
}

/**
 * Writes marks of a user, and has those forgotten that are too many.
 *
 * @param store Where they are kept.
 * @param user The user.
 * @param marks The marks.
 * @param known How many rooms the user has, as far as that is known. @default {Infinity}
 * @returns The rooms that were forgotten.
 * @throws Whatever the store rejects with.
 */
export async function writeMarks(
  store: UserRooms,
  user: string,
  marks: ReadonlyMap<string, ReadMark>,
  known = Infinity,
): Promise<readonly string[]> {
  const all = [...marks];
  for (let at = 0; at < all.length; at += MARKS_MAX) {
    await store.mark(user, new Map(all.slice(at, at + MARKS_MAX)));
  }
  if (known <= USER_ROOMS_MAX) return [];
  const kept = await store.list(user);
  if (kept.size <= USER_ROOMS_MAX) return [];
  const sorted = [...kept].sort(([, a], [, b]) => a < b ? -1 : a > b ? 1 : 0);
  const oldest = sorted.slice(0, kept.size - USER_ROOMS_MAX).map(([room]) => room);
  await store.forget(user, oldest);
  return oldest;
}

/** Moves a mark on; tells whether it was further back, or not there. */
function raise(marks: Map<string, ReadMark>, room: string, mark: ReadMark): boolean {
  const before = marks.get(room);
  if (before !== undefined && before >= mark) return false;
  marks.set(room, mark);
  return true;
}
