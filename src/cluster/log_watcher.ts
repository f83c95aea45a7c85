/**
 * Rooms that grew: what the store tells of other isolates' commits.
 *
 * @module
 */

import { cursorAt } from "../store/cursor.ts";
import type { Growth } from "../store/growth.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import { readHeads } from "./heads.ts";
import { Pauses } from "./pauses.ts";
import { RoomsBehind } from "./rooms_behind.ts";
import { StoreWatch } from "./store_watch.ts";
import type { WatchedRoom } from "./watched_room.ts";

/** Milliseconds between two looks where others are heard by a fan-out. */
const BETWEEN_MS = 250;
/** Milliseconds that a commit of this isolate gets to tell what the watch told of first. */
const OWN_COMMIT_MS = 20;
/** Milliseconds before the store is asked again, where that failed or seems to tell old news. */
const RETRY_MS = 500;

/** How {@linkcode LogWatcher} behaves. */
export interface LogWatcherOptions {
  /** The store to watch. */
  readonly log: Pick<RoomLog, "grownSince" | "heads" | "isLost" | "watch">;
  /** The rooms in memory that are open or being opened. */
  readonly rooms: () => Iterable<WatchedRoom>;
  /** Finds one of them. */
  readonly find: (name: string) => WatchedRoom | undefined;
  /** Whether other isolates are heard by a fan-out, which then gets its time. */
  readonly isHeard: () => boolean;
  /** Called with each room that had fallen behind without noticing. */
  readonly onHealed: (room: string) => void;
  /** Called where the database was put back to an earlier state. */
  readonly onWentBack: () => void;
  /** Receives operational events. */
  readonly logger: Logger;
}

/**
 * Makes rooms that have fallen behind their log catch up, and tells a commit of this isolate which
 * of its rooms need no reading.
 *
 * The store names the rooms that grew, in one read, however many are open. Where it does not reach
 * back, at the beginning and after every gap of the watch, the heads of all open rooms are read.
 *
 * A database may be put back to an earlier state at any moment. So that nothing of another history
 * is delivered to a room, a commit needs no reading only where the store still holds the place that
 * is known and the commit itself, and where the room stands at the record that it told of last.
 */
export class LogWatcher {
  readonly #options: LogWatcherOptions;
  /** The commit up to which it is known what grew; undefined while nothing is known. */
  #position: string | undefined;
  /** Whether the store held that commit when all rooms were looked at. */
  #isConfirmed = false;
  readonly #pauses = new Pauses();
  readonly #behind: RoomsBehind;
  /** By room, the cursor of the newest record that the store has told of while it was in memory. */
  readonly #heads = new WeakMap<WatchedRoom, string>();
  /**
   * Grows whenever what is known is forgotten, and when a look at all rooms begins and ends: what was
   * read before says nothing of what is known since.
   */
  #era = 0;
  /** Settles when the look at all rooms that is at work has ended. */
  #lookingAtAll: Promise<void> | undefined;
  /** Called when the commit of this isolate that is in flight has ended. */
  #onOwnCommit: (() => void) | undefined;
  #isCommitting = false;
  #isDoubting = false;
  /** Events of what goes on failing: they were logged the first time. */
  readonly #failing = new Set<string>();
  readonly #watch: StoreWatch;
  #isClosed = false;

  /** @param options What to watch, and for whom. */
  constructor(options: LogWatcherOptions) {
    this.#options = options;
    this.#behind = new RoomsBehind({ ...options, pauses: this.#pauses });
    const { log, rooms } = options;
    this.#watch = new StoreWatch({
      log,
      // Who opens a room reads its log.
      isNeeded: () => [...rooms()].length > 0,
      onNewest: (commit) => this.#onNewest(commit),
      onGap: () => this.#position = undefined,
      onFailure: (error) => this.#failed("watch_failed", error),
    });
  }

  /** The newest commit that is known of; undefined while nothing is known. */
  get position(): string | undefined {
    return this.#position;
  }

  /** The same, where the store holds it: one that was told may be of an earlier time. */
  get confirmed(): string | undefined {
    return this.#isConfirmed ? this.#position : undefined;
  }

  /** Forgets what is known: the database was put back, and the next look is at all rooms. */
  forget(): void {
    this.#era++;
    this.#position = undefined;
    this.#behind.clear();
  }

  /** Stops watching. */
  close(): void {
    this.#isClosed = true;
    this.#behind.clear();
    this.#pauses.end();
    this.#watch.close();
  }

  /** Announces a commit of this isolate: the watch may tell of it before it has been answered. */
  committing(): void {
    this.#isCommitting = true;
  }

  /** Ends a commit of this isolate that failed. */
  notCommitted(): void {
    this.#isCommitting = false;
    this.#onOwnCommit?.();
  }

  /**
   * Finds out which rooms of a commit of this isolate grew by others' commits as well.
   *
   * @param commit The commit, which has just been stored.
   * @param rooms Its rooms.
   * @returns Those that must read their log; undefined where the database was put back since, and
   * holds the commit no longer. Never rejects: where the store fails, all of them must.
   */
  async committed(
    commit: string,
    rooms: Iterable<string>,
  ): Promise<ReadonlySet<string> | undefined> {
    try {
      return await this.#committed(commit, new Set(rooms));
    } finally {
      this.notCommitted();
    }
  }

  async #committed(
    commit: string,
    names: ReadonlySet<string>,
  ): Promise<ReadonlySet<string> | undefined> {
    const from = this.confirmed;
    // A look was faster: it took this commit for somebody else's.
    if (from === undefined || this.#lookingAtAll || from >= commit) return names;
    const era = this.#era;
    let growth: Growth | undefined;
    try {
      growth = await this.#options.log.grownSince(from, commit);
      // All rooms are looked at, in case the database is no longer the one that was read.
      if (!growth && !await this.#lookAtAll(commit)) return undefined;
    } catch (error) {
      this.#failed("look_failed", error);
    }
    if (!growth || !this.#take(growth.rooms, commit, era)) return names;
    const behind = new Set<string>();
    const known = cursorAt(from, 0, 0);
    for (const name of names) {
      const room = this.#options.find(name);
      if (!room || this.#behind.has(name) || !this.#isCurrent(room, growth, known)) {
        behind.add(name);
      }
    }
    return behind;
  }

  /** Whether a room is where its log ends, in the history that a growth was read in. */
  #isCurrent(room: WatchedRoom, { rooms }: Growth, known: string): boolean {
    if (this.#heads.get(room) !== room.cursor) return false;
    return rooms.has(room.name) || room.cursor < known;
  }

  /** Takes note of what grew up to a commit, unless as much is known by now or it is of another era. */
  #take(rooms: Growth["rooms"], upTo: string, era: number): boolean {
    const position = this.#position;
    if (this.#isClosed || era !== this.#era) return false;
    if (position === undefined || position >= upTo) return false;
    this.#note(rooms);
    this.#position = upTo;
    return true;
  }

  /** Lets rooms read their log that are behind. */
  #note(heads: ReadonlyMap<string, string>): void {
    for (const [name, head] of heads) {
      const room = this.#options.find(name);
      if (room) this.#heads.set(room, head);
    }
    this.#behind.add(heads);
  }

  async #onNewest(commit: string): Promise<void> {
    this.#failing.delete("watch_failed");
    if (commit === this.#position) return;
    await this.#ownCommit();
    while (!await this.#look(commit)) await this.#pauses.wait(RETRY_MS);
    if (this.#options.isHeard()) await this.#pauses.wait(BETWEEN_MS);
  }

  /** Looks at what grew. Returns false where the store failed. */
  async #look(newest: string): Promise<boolean> {
    if (this.#isClosed) return true;
    await this.#lookingAtAll;
    if (newest === this.#position) return true;
    const from = this.confirmed;
    // A watch may be late; or the database is no longer the one that was read.
    if (from !== undefined && newest < from) return this.#doubt(newest);
    const era = this.#era;
    try {
      const growth = from === undefined ? undefined : await this.#options.log.grownSince(from);
      if (!growth) await this.#lookAtAll(newest);
      else if (!this.#take(growth.rooms, growth.upTo, era) && era !== this.#era) {
        return await this.#look(newest);
      }
      this.#failing.delete("look_failed");
      return true;
    } catch (error) {
      this.#failed("look_failed", error);
      return this.#isClosed;
    }
  }

  /**
   * Looks at all rooms, once nobody else does: of two looks the one that began first may end last, and
   * nothing else may be taken note of meanwhile.
   *
   * @param newest The commit that is known to be the newest.
   * @returns Whether the store holds it.
   */
  async #lookAtAll(newest: string): Promise<boolean> {
    while (this.#lookingAtAll) await this.#lookingAtAll;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lookingAtAll = promise;
    const era = ++this.#era;
    const { log, onWentBack, rooms } = this.#options;
    try {
      // First the place from which on it will be asked what grew: where that is of an earlier time
      // than the heads, the question will tell.
      const isThere = await log.grownSince(newest) !== undefined;
      const { heads, isLost } = await readHeads(log, rooms());
      if (this.#isClosed || this.#era !== era) return isThere;
      this.#position = newest;
      this.#isConfirmed = isThere;
      this.#behind.clear();
      if (isLost) onWentBack();
      else this.#note(heads);
      return isThere;
    } finally {
      this.#era++;
      this.#lookingAtAll = undefined;
      resolve();
    }
  }

  /** The watch told of a commit that is older than what is known: asks the store, once in a while. */
  #doubt(newest: string): boolean {
    if (this.#isDoubting) return true;
    this.#isDoubting = true;
    void this.#pauses.wait(RETRY_MS).then(async () => {
      const from = this.confirmed;
      try {
        const { log } = this.#options;
        if (!this.#isClosed && from && !await log.grownSince(from)) await this.#lookAtAll(newest);
      } catch (error) {
        this.#failed("look_failed", error);
      } finally {
        this.#isDoubting = false;
      }
    });
    return true;
  }

  /** Waits for a commit of this isolate to be answered: it finds out the same. */
  async #ownCommit(): Promise<void> {
    if (!this.#isCommitting) return;
    const ended = new Promise<void>((resolve) => this.#onOwnCommit = resolve);
    await Promise.race([ended, this.#pauses.wait(OWN_COMMIT_MS)]);
    this.#onOwnCommit = undefined;
  }

  #failed(event: string, error: unknown): void {
    if (this.#isClosed || this.#failing.has(event)) return;
    this.#failing.add(event);
    this.#options.logger("error", event, { error });
  }
}
