/**
 * The net under the fan-out: the database itself tells that something was appended.
 *
 * @module
 */

import { bellOf } from "../store/kv/keys.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Milliseconds that the fan-out gets before a room that rang is looked at. */
const DELAY_MS = 150;
/** The same as a multiple of what the last look took, so that ten bells use a quarter of the time. */
const DELAY_PER_LOOK = 40;
/** Milliseconds a room gets to reach the head that was read, before it reads the log itself. */
const GRACE_MS = 100;
/** Milliseconds before the database is asked again, where watching failed. */
const RETRY_MS = 1_000;

/** A room, as far as the bells care. */
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
  /** The log to watch. */
  readonly log: RoomLog;
  /** The rooms in memory that are open. */
  readonly rooms: () => Iterable<WatchedRoom>;
  /** Hears of each room that had fallen behind without noticing. */
  readonly onHealed: (room: string) => void;
  /** Takes what an operator should know. */
  readonly logger: Logger;
}

/**
 * Watches the ten bells, and makes rooms that have fallen behind their log catch up. However often
 * a bell rings, its rooms are looked at four times a second at most, and less often where there are
 * so many that a look takes long.
 */
export class LogWatcher {
  readonly #options: LogWatcherOptions;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  readonly #rangAgain = new Set<number>();
  /** Events of what goes on failing: they were logged the first time. */
  readonly #failing = new Set<string>();
  /** Milliseconds that the last look took: it grows with the rooms in memory. */
  #lookMs = 0;
  #reader: ReadableStreamDefaultReader<number[]> | undefined;
  #isClosed = false;

  /**
   * Begins to watch.
   *
   * @param options What to watch, and for whom.
   */
  constructor(options: LogWatcherOptions) {
    this.#options = options;
    void this.#watch();
  }

  /** Stops watching. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#reader?.cancel().catch(() => {}); // It may have failed already, and was logged then.
  }

  async #watch(): Promise<void> {
    try {
      this.#reader = this.#options.log.watch().getReader();
      while (!this.#isClosed) {
        const { value, done } = await this.#reader.read();
        if (done) break;
        this.#failing.delete("watch_failed");
        for (const bell of value) this.#rang(bell);
      }
    } catch (error) {
      this.#failed("watch_failed", error);
    }
    if (this.#isClosed) return;
    // What rang meanwhile was not heard: every room is looked at when the watch is back.
    this.#timers.set(-1, setTimeout(() => void this.#watch(), RETRY_MS));
  }

  #rang(bell: number): void {
    if (this.#timers.has(bell)) return void this.#rangAgain.add(bell);
    const delay = Math.max(DELAY_MS, DELAY_PER_LOOK * this.#lookMs);
    this.#timers.set(bell, setTimeout(() => void this.#look(bell), delay));
  }

  async #look(bell: number): Promise<void> {
    const { log, rooms } = this.#options;
    this.#rangAgain.delete(bell);
    const suspects = [...rooms()].filter(({ name }) => bellOf(name) === bell);
    let heads: string[] = [];
    const startedAt = performance.now();
    try {
      heads = await log.heads(suspects.map(({ name }) => name));
      this.#failing.delete("bell_failed");
    } catch (error) {
      this.#failed("bell_failed", error);
      this.#rangAgain.add(bell);
    }
    this.#lookMs = performance.now() - startedAt;
    if (this.#isClosed) return;
    this.#timers.set(bell, setTimeout(() => this.#heal(bell, suspects, heads), GRACE_MS));
  }

  #heal(bell: number, suspects: readonly WatchedRoom[], heads: readonly string[]): void {
    this.#timers.delete(bell);
    suspects.forEach((room, index) => {
      if (heads[index] === undefined || room.cursor >= heads[index]) return;
      this.#options.onHealed(room.name);
      void room.catchUp();
    });
    if (this.#rangAgain.has(bell)) this.#rang(bell);
  }

  #failed(event: string, error: unknown): void {
    if (this.#isClosed || this.#failing.has(event)) return;
    this.#failing.add(event);
    this.#options.logger("error", event, { error });
  }
}
