/**
 * Rooms that grew: what the store tells of other isolates' commits.
 *
 * @module
 */

import { commitOf, ORIGIN } from "../store/cursor.ts";
import type { Growth } from "../store/growth.ts";
import type { RoomLog } from "../store/room_log.ts";
import { isOfThisLog } from "../store/standing_place.ts";
import type { Logger } from "../telemetry/logger.ts";
import { StoreWatch } from "./store_watch.ts";

/** Milliseconds that a fan-out in which others are heard gets before a room reads its log. */
const GRACE_MS = 150;
/** Milliseconds between two looks where others are heard by a fan-out. */
const BETWEEN_MS = 250;
/** Milliseconds that a commit of this isolate gets to tell what the watch told of first. */
const OWN_COMMIT_MS = 20;
/** Milliseconds before the store is asked again, where that failed or seems to tell old news. */
const RETRY_MS = 500;

/** A room as the watcher sees it. */
export interface WatchedRoom {
  /** Its name. */
  readonly name: string;
  /** Where it stands. */
  readonly cursor: string;
  /** Reads the log on from there. Never rejects. */
  catchUp(): Promise<void>;
}

/** How {@linkcode LogWatcher} behaves. */
export interface LogWatcherOptions {
  /** The store to watch. */
  readonly log: Pick<RoomLog, "grownSince" | "has" | "heads" | "meta" | "watch">;
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
 */
export class LogWatcher {
  readonly #options: LogWatcherOptions;
  /** The commit up to which it is known what grew; undefined while nothing is known. */
  #position: string | undefined;
  /** By room, the newest commit that it may not have read. */
  readonly #behind = new Map<string, string>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Wakes that are waited for at the end. */
  readonly #wakes = new Set<() => void>();
  /** Called when the commit of this isolate that is in flight has ended. */
  #onOwnCommit: (() => void) | undefined;
  #isCommitting = false;
  #isHealing = false;
  #isDoubting = false;
  /** Events of what goes on failing: they were logged the first time. */
  readonly #failing = new Set<string>();
  readonly #watch: StoreWatch;
  #isClosed = false;

  /** @param options What to watch, and for whom. */
  constructor(options: LogWatcherOptions) {
    this.#options = options;
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

  /** Forgets what is known: the database was put back, and the next look is at all rooms. */
  forget(): void {
    this.#position = undefined;
    this.#behind.clear();
  }

  /** Stops watching. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const wake of this.#wakes) wake();
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
   * @returns Those that must read their log. Never rejects: where the store fails, all of them.
   */
  async committed(commit: string, rooms: Iterable<string>): Promise<ReadonlySet<string>> {
    try {
      return await this.#committed(commit, new Set(rooms));
    } finally {
      this.notCommitted();
    }
  }

  async #committed(commit: string, names: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const from = this.#position;
    // A look was faster: it took this commit for somebody else's.
    if (from === undefined || from >= commit) return names;
    let growth: Growth | undefined;
    try {
      growth = await this.#options.log.grownSince(from, commit);
      // All rooms are looked at, in case the database is no longer the one that was read.
      if (!growth) await this.#lookAtAll(commit);
    } catch (error) {
      this.#failed("look_failed", error);
    }
    if (!growth) return names;
    this.#note(growth);
    this.#advance(commit);
    const behind = new Set<string>();
    for (const name of names) {
      if (this.#options.find(name) === undefined || this.#isBehind(name)) behind.add(name);
    }
    return behind;
  }

  async #onNewest(commit: string): Promise<void> {
    this.#failing.delete("watch_failed");
    if (commit === this.#position) return;
    await this.#ownCommit();
    while (!await this.#look(commit)) await this.#pause(RETRY_MS);
    if (this.#options.isHeard()) await this.#pause(BETWEEN_MS);
  }

  /** Looks at what grew. Returns false where the store failed. */
  async #look(newest: string): Promise<boolean> {
    if (this.#isClosed) return true;
    const from = this.#position;
    if (from === newest) return true;
    // A watch may be late; or the database is no longer the one that was read.
    if (from !== undefined && newest < from) return this.#doubt(newest);
    try {
      const growth = from === undefined ? undefined : await this.#options.log.grownSince(from);
      if (growth) {
        this.#note(growth);
        this.#advance(growth.upTo);
      } else {
        await this.#lookAtAll(newest);
      }
      this.#failing.delete("look_failed");
      return true;
    } catch (error) {
      this.#failed("look_failed", error);
      return this.#isClosed;
    }
  }

  async #lookAtAll(newest: string): Promise<void> {
    const { log, rooms, onWentBack } = this.#options;
    const looked = [...rooms()];
    const stood = looked.map(({ cursor }) => cursor);
    const heads = await log.heads(looked.map(({ name }) => name));
    // Where a log does not end where its room stands, it may be another one: the place must be there.
    const stand = await Promise.all(looked.map(({ name }, index) => {
      const isAtEnd = heads[index] === stood[index] || stood[index] === ORIGIN;
      return isAtEnd || isOfThisLog(log, name, stood[index]);
    }));
    if (this.#isClosed) return;
    this.#position = newest;
    this.#behind.clear();
    if (stand.includes(false)) return onWentBack();
    heads.forEach((head, index) => {
      if (looked[index].cursor < head) this.#behind.set(looked[index].name, commitOf(head));
    });
    this.#healSoon();
  }

  /** The watch told of a commit that is older than what is known: asks the store, once in a while. */
  #doubt(newest: string): boolean {
    if (this.#isDoubting) return true;
    this.#isDoubting = true;
    void this.#pause(RETRY_MS).then(async () => {
      const from = this.#position;
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

  #note({ rooms }: Growth): void {
    if (this.#isClosed) return;
    for (const [name, commit] of rooms) {
      if (this.#options.find(name) === undefined) continue;
      if ((this.#behind.get(name) ?? "") < commit) this.#behind.set(name, commit);
      if (!this.#isBehind(name)) this.#behind.delete(name);
    }
    this.#healSoon();
  }

  #advance(commit: string): void {
    if (this.#position !== undefined && this.#position < commit) this.#position = commit;
  }

  #isBehind(name: string): boolean {
    const commit = this.#behind.get(name);
    const cursor = this.#options.find(name)?.cursor;
    return commit !== undefined && cursor !== undefined && commitOf(cursor) < commit;
  }

  /** Rooms that are still behind when a fan-out has had its time read their log. */
  #healSoon(): void {
    if (this.#isHealing || this.#behind.size === 0) return;
    if (!this.#options.isHeard()) return this.#heal();
    this.#isHealing = true;
    void this.#pause(GRACE_MS).then(() => {
      this.#isHealing = false;
      if (!this.#isClosed) this.#heal();
    });
  }

  #heal(): void {
    for (const name of [...this.#behind.keys()]) {
      const room = this.#isBehind(name) ? this.#options.find(name) : undefined;
      this.#behind.delete(name);
      if (!room) continue;
      this.#options.onHealed(name);
      // From here on the room knows that it has to read.
      void room.catchUp();
    }
  }

  /** Waits for a commit of this isolate to be answered: it finds out the same. */
  async #ownCommit(): Promise<void> {
    if (!this.#isCommitting) return;
    const ended = new Promise<void>((resolve) => this.#onOwnCommit = resolve);
    await Promise.race([ended, this.#pause(OWN_COMMIT_MS)]);
    this.#onOwnCommit = undefined;
  }

  #pause(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        this.#timers.delete(timer);
        this.#wakes.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#timers.add(timer);
      this.#wakes.add(end);
    });
  }

  #failed(event: string, error: unknown): void {
    if (this.#isClosed || this.#failing.has(event)) return;
    this.#failing.add(event);
    this.#options.logger("error", event, { error });
  }
}
