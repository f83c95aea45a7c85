/**
 * Deleting what has expired, in Deno KV.
 *
 * @module
 */

import { CHANGES_FROM, cursorAt } from "../cursor.ts";
import { PASS_MS, Sweeper, type SweeperOptions, type SweepLease } from "../sweeper.ts";
import { untilWritten } from "./checked_write.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";

/** Keys that one commit deletes. */
const BATCH = 200;
/** What {@linkcode KvSweeper} sweeps. */
export interface KvSweeperOptions extends SweeperOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
}

/** Deletes the beginnings of logs that have expired from Deno KV. */
export class KvSweeper extends Sweeper {
  readonly #options: KvSweeperOptions;

  /** @param options What to sweep. */
  constructor(options: KvSweeperOptions) {
    super(options);
    this.#options = options;
  }

  /** Takes, renews or ends the lease, unless another isolate has it. */
  protected override async writeLease(ms: number, holder: string | undefined): Promise<boolean> {
    const { clock, handle, keys: { sweepLease } } = this.#options;
    return await untilWritten(async () => {
      const now = clock.now();
      const lease = await handle.call("get", (kv) => kv.get<SweepLease>(sweepLease));
      const until = lease.value?.until ?? 0;
      const isOwn = lease.value?.holder === this.id;
      // What lies further ahead than any lease was written by a clock that was wrong.
      if (!isOwn && until > now && until <= now + PASS_MS) return false;
      const value: SweepLease = { until: now + ms, holder };
      const { ok } = await handle.call("take the lease", (kv) => {
        return kv.atomic().check(lease).set(sweepLease, value).commit();
      });
      return ok ? true : undefined;
    });
  }

  /** Deletes the beginning of a room's log. */
  protected override async remove(room: string, before: string): Promise<number> {
    const { keys } = this.#options;
    const commit = before.replace("~", "");
    // What belongs to messages goes with them; changes stand behind theirs.
    const message = before === commit ? cursorAt(commit, 0, 0) : cursorAt(commit, CHANGES_FROM, 0);
    for (
      const [prefix, end] of [
        [keys.changes(room), before],
        [keys.state(room), message],
        [keys.edits(room), message],
      ] as const
    ) await this.#remove(room, { prefix, end: [...prefix, end] }, before);
    const prefix = keys.log(room);
    return await this.#remove(room, { prefix, end: [...prefix, before] }, before);
  }

  async #remove(
    room: string,
    selector: { readonly prefix: Deno.KvKey; readonly end: Deno.KvKey },
    before: string,
  ): Promise<number> {
    const { handle, keys } = this.#options;
    let deleted = 0;
    for (;;) {
      const found = await handle.call("list what expired", async (kv, progress) => {
        const found: Deno.KvKey[] = [];
        for await (const { key } of kv.list(selector, { limit: BATCH, batchSize: 32 })) {
          progress();
          found.push(key);
        }
        return found;
      });
      if (found.length === 0) return deleted;
      await handle.call("delete what expired", (kv) => {
        const atomic = kv.atomic().set(keys.swept(room), before);
        for (const key of found) atomic.delete(key);
        return atomic.commit();
      });
      deleted += found.length;
    }
  }
}
