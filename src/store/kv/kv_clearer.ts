/**
 * Deleting what stood in deleted rooms, in Deno KV.
 *
 * @module
 */

import { eraseChanges } from "../change.ts";
import { CHANGES_FROM, commitOf, indexOf, ORIGIN } from "../cursor.ts";
import { NOTHING, type StoreTask, type TaskStep } from "../store_tasks.ts";
import { untilWritten } from "./checked_write.ts";
import type { KvEraser } from "./kv_eraser.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";
import type { KvRoomMeta } from "./kv_room_meta.ts";
import { deletable } from "./limits.ts";

/** Keys that one step looks at. */
const STEP = 1_000;

/** What {@linkcode KvClearer} deletes from. */
export interface KvClearerOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** Where logs count from. */
  readonly meta: KvRoomMeta;
  /** Rewrites entries. */
  readonly eraser: KvEraser;
}

/** Deletes what stands before the place from which a room's log counts. Nobody reads it any more. */
export class KvClearer {
  readonly #options: KvClearerOptions;

  /** @param options The database. */
  constructor(options: KvClearerOptions) {
    this.#options = options;
  }

  /** Deletes the first keys that are found. */
  async step({ room }: StoreTask): Promise<TaskStep> {
    const { handle, keys, meta } = this.#options;
    const from = await handle.call("read meta", (kv) => meta.from(kv, room));
    const done: TaskStep = { after: undefined, erased: NOTHING };
    if (from === ORIGIN) return done;
    // First of all: who compacts meanwhile has to do it once more.
    await handle.call("erase", (kv) => kv.set(keys.uncompacted, true));
    const commit = commitOf(from);
    for (
      const [prefix, end] of [
        [keys.state(room), from],
        [keys.edits(room), from],
        [keys.changes(room), commit],
        // Messages of the commit that deleted the room stand before that.
        [keys.log(room), commit + "~"],
      ] as const
    ) {
      if (await this.#delete(prefix, end)) return { after: "", erased: NOTHING };
    }
    await this.#deleteControls(room, commit);
    await this.#deleteErasures(room, from);
    await this.#options.eraser.rewrite([...keys.changes(room), commit], (text) => {
      return eraseChanges(text, (position) => CHANGES_FROM + position < indexOf(from));
    });
    return done;
  }

  /** Deletes keys of a range, and tells whether there were any. */
  async #delete(prefix: Deno.KvKey, end: string): Promise<boolean> {
    const { handle } = this.#options;
    const selector = { prefix, end: [...prefix, end] };
    const found = await handle.call("list what was deleted", async (kv, progress) => {
      const found: Deno.KvKey[] = [];
      // Not many values at a time: entries are long.
      for await (const { key } of kv.list(selector, { limit: STEP, batchSize: 32 })) {
        progress();
        found.push(key);
      }
      return found;
    });
    for (let rest = found; rest.length > 0;) {
      const count = deletable(rest);
      await handle.call("delete", (kv) => {
        const atomic = kv.atomic();
        for (const key of rest.slice(0, count)) atomic.delete(key);
        return atomic.commit();
      });
      rest = rest.slice(count);
    }
    return found.length > 0;
  }

  /** Deletes the states of the room itself that nobody has set anew. */
  async #deleteControls(room: string, commit: string): Promise<void> {
    const { handle, keys } = this.#options;
    const prefix = keys.controls(room);
    const old = await handle.call("list", async (kv, progress) => {
      const old: Deno.KvEntry<unknown>[] = [];
      for await (const entry of kv.list({ prefix }, { batchSize: 500 })) {
        progress();
        if (entry.versionstamp < commit) old.push(entry);
      }
      return old;
    });
    for (const entry of old) {
      await untilWritten(async () => {
        await handle.call("delete", (kv) => kv.atomic().check(entry).delete(entry.key).commit());
        return true;
      });
    }
  }

  /** What was deleted before needs no erasing any more. */
  async #deleteErasures(room: string, from: string): Promise<void> {
    const { keys } = this.#options;
    while (await this.#delete([...keys.erase, room], from));
    const { handle } = this.#options;
    const users = (await this.#options.meta.read(room)).erasing;
    for (const [user, place] of users) {
      if (place > from) continue;
      await handle.call("delete", (kv) => {
        return kv.atomic().delete(keys.erasing(room, user))
          .delete(keys.task("erase_user", room, user)).commit();
      });
    }
  }
}
