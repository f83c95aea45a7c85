/**
 * Tombstones for duplicates in a log.
 *
 * @module
 */

import { commitOf, indexOf } from "../store/cursor.ts";
import { type LogRecord, writeTombstones } from "../store/entry.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** A message that repeats another. */
export interface Duplicate {
  /** The duplicate. */
  readonly record: LogRecord;
  /** The cursor of the message that it repeats. */
  readonly first: string;
}

/** Milliseconds that an isolate has to write its tombstones, before others do it. */
const ORPHAN_MS = 1_000;

/** Duplicates whose places are remembered. */
const PLACES_MAX = 10_000;

/** How {@linkcode Tombstones} behaves. */
export interface TombstonesOptions {
  /** The name of the room. */
  readonly room: string;
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** Receives operational events. Must not throw. */
  readonly logger: Logger;
  /** The hub's counters. */
  readonly metrics: Metrics;
}

/**
 * Writes tombstones over what two isolates appended at once: at once over what this isolate wrote,
 * and after a while over what another did, in case that one has died. Readers of the log leave
 * duplicates out all the same.
 */
export class Tombstones {
  readonly #options: TombstonesOptions;
  readonly #orphans: Duplicate[] = [];
  /** The places of the last duplicates, also of those that are written: a page may be older. */
  readonly #places = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the last try failed: then it has been logged. */
  #isFailing = false;
  #isStopped = false;

  /**
   * Starts with nothing to write.
   *
   * @param options The room and its log.
   */
  constructor(options: TombstonesOptions) {
    this.#options = options;
  }

  /**
   * Writes tombstones now. Never throws: a failure is counted, logged once, and tried again later.
   *
   * @param duplicates What no other isolate is going to write them for.
   */
  write(duplicates: readonly Duplicate[]): void {
    for (const { record } of duplicates) this.#remember(record.cursor);
    if (duplicates.length > 0) void this.#write(duplicates);
  }

  /**
   * Writes a tombstone in a while, unless another isolate has by then.
   *
   * @param duplicate What another isolate wrote.
   */
  writeLater(duplicate: Duplicate): void {
    if (this.#isStopped) return;
    this.#remember(duplicate.record.cursor);
    this.#orphans.push(duplicate);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.write(this.#orphans.splice(0));
    }, ORPHAN_MS);
  }

  /**
   * Tells whether a record is a duplicate whose tombstone a page may lack: it was read before that was
   * written, and the window may have forgotten it.
   *
   * @param record The record.
   * @returns True where this isolate has found it to be one, lately.
   */
  hides({ cursor }: LogRecord): boolean {
    return this.#places.has(cursor);
  }

  /** Stops the timer: the rest is left to the isolate that opens the room next. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #remember(cursor: string): void {
    this.#places.add(cursor);
    if (this.#places.size <= PLACES_MAX) return;
    for (const oldest of this.#places) {
      this.#places.delete(oldest);
      break;
    }
  }

  async #write(duplicates: readonly Duplicate[]): Promise<void> {
    const { log, logger, metrics, room } = this.#options;
    const byCommit = Map.groupBy(duplicates, ({ record }) => commitOf(record.cursor));
    for (const [commit, group] of byCommit) {
      const lines = new Map(group.map(({ record: { cursor, id }, first }) => {
        return [indexOf(cursor), { id, first }];
      }));
      try {
        // Where the database was put back, what it repeats may be gone: then it is the only one.
        for (const [index, { first }] of [...lines]) {
          if (await log.has(room, first)) continue;
          lines.delete(index);
          for (const { record } of group) {
            if (indexOf(record.cursor) === index) this.#places.delete(record.cursor);
          }
        }
        if (lines.size === 0) continue;
        await log.rewrite(room, commit, (text) => writeTombstones(text, lines));
        this.#isFailing = false;
      } catch (error) {
        metrics.tombstoneFailures++;
        if (!this.#isFailing) logger("error", "tombstone_failed", { room, error });
        this.#isFailing = true;
        if (this.#isStopped) continue;
        for (const duplicate of group) this.writeLater(duplicate);
      }
    }
  }
}
