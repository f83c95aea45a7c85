/**
 * What a database of PostgreSQL needs while it is in use.
 *
 * @module
 */

import type { StoreEvent } from "../store_event.ts";
import type { SteadyClock } from "../steady_clock.ts";
import type { PostgresChanges } from "./postgres_changes.ts";
import { PostgresClearer } from "./postgres_clearer.ts";
import { PostgresEraser } from "./postgres_eraser.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import type { PostgresExpiry } from "./postgres_expiry.ts";
import { PostgresSweeper } from "./postgres_sweeper.ts";
import { PostgresTasks } from "./postgres_tasks.ts";
import { PostgresUserEraser } from "./postgres_user_eraser.ts";

/** What the upkeep is of. */
export interface PostgresUpkeepOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
  /** What has expired. */
  readonly expiry: PostgresExpiry;
  /** The states of messages. */
  readonly changes: PostgresChanges;
  /** The time. */
  readonly clock: SteadyClock;
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed: () => number;
  /** Lists rooms in order. */
  readonly rooms: (options: { limit: number; after?: string }) => Promise<string[]>;
  /** Receives events. */
  readonly onEvent: (event: StoreEvent) => void;
}

/** What keeps a database in order. */
export interface PostgresUpkeep {
  /** Deletes what has expired. */
  readonly sweeper: PostgresSweeper;
  /** Erases what deleted messages said. */
  readonly eraser: PostgresEraser;
  /** Does what deleted rooms and erased users have left. */
  readonly tasks: PostgresTasks;
  /** Begins. */
  start(): void;
  /** Stops. What is being done is finished. */
  stop(): void;
}

/**
 * Makes what keeps a database in order.
 *
 * @param options The database.
 * @returns Its upkeep, which has not begun.
 */
export function createPostgresUpkeep(options: PostgresUpkeepOptions): PostgresUpkeep {
  const sweeper = new PostgresSweeper(options);
  const eraser = new PostgresEraser(options);
  const clearer = new PostgresClearer({ ...options, eraser });
  const userEraser = new PostgresUserEraser({ ...options, eraser });
  const tasks = new PostgresTasks({ ...options, clearer, userEraser });
  const parts = [sweeper, eraser, tasks];
  return {
    sweeper,
    eraser,
    tasks,
    start: () => parts.forEach((part) => part.start()),
    stop: () => parts.forEach((part) => part.stop()),
  };
}
