/**
 * What a database of Deno KV needs while it is in use.
 *
 * @module
 */

import type { StoreEvent } from "../store_event.ts";
import type { SteadyClock } from "../steady_clock.ts";
import type { KvChanges } from "./kv_changes.ts";
import { KvClearer } from "./kv_clearer.ts";
import { KvCompactor } from "./kv_compactor.ts";
import { KvEraser } from "./kv_eraser.ts";
import type { KvExpiry } from "./kv_expiry.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";
import type { KvRoomMeta } from "./kv_room_meta.ts";
import { KvSweeper } from "./kv_sweeper.ts";
import { KvTasks } from "./kv_tasks.ts";
import { KvUserEraser } from "./kv_user_eraser.ts";

/** What the upkeep is of. */
export interface KvUpkeepOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** Where logs count from. */
  readonly meta: KvRoomMeta;
  /** What has expired. */
  readonly expiry: KvExpiry;
  /** The states of messages. */
  readonly changes: KvChanges;
  /** The time. */
  readonly clock: SteadyClock;
  /** The database's file; undefined where it has none here. */
  readonly file: string | undefined;
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed: () => number;
  /** Lists rooms in order. */
  readonly rooms: (options: { limit: number; after?: string }) => Promise<string[]>;
  /** Receives events. */
  readonly onEvent: (event: StoreEvent) => void;
}

/** What keeps a database in order. */
export interface KvUpkeep {
  /** Deletes what has expired. */
  readonly sweeper: KvSweeper;
  /** Erases what deleted messages said. */
  readonly eraser: KvEraser;
  /** Does what deleted rooms and erased users have left. */
  readonly tasks: KvTasks;
  /** Gives back space. */
  readonly compactor: KvCompactor;
  /** Begins; what is left is looked for where the database is known to last. */
  start(options: { readonly isOfService: boolean }): void;
  /** Stops. What is being done is finished. */
  stop(): void;
}

/**
 * Makes what keeps a database in order.
 *
 * @param options The database.
 * @returns Its upkeep, which has not begun.
 */
export function createKvUpkeep(options: KvUpkeepOptions): KvUpkeep {
  const sweeper = new KvSweeper(options);
  const eraser = new KvEraser(options);
  const clearer = new KvClearer({ ...options, eraser });
  const userEraser = new KvUserEraser({ ...options, eraser });
  const tasks = new KvTasks({ ...options, clearer, userEraser });
  const compactor = new KvCompactor(options);
  return {
    sweeper,
    eraser,
    tasks,
    compactor,
    start({ isOfService }) {
      sweeper.start();
      if (isOfService) {
        eraser.start();
        tasks.start();
      }
      compactor.start();
    },
    stop() {
      for (const each of [sweeper, eraser, tasks, compactor]) each.stop();
    },
  };
}
