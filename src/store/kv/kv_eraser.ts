/**
 * Erasing of what deleted messages said.
 *
 * @module
 */

import { CHANGED, eraseEdits } from "../change.ts";
import { commitOf, cursorAt, indexOf, tagOf } from "../cursor.ts";
import { eraseLines } from "../entry_line.ts";
import type { StoreEvent } from "../store_event.ts";
import { untilWritten } from "./checked_write.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";

/** States of a message that stay when it is erased. */
const KEPT: ReadonlySet<unknown> = new Set([CHANGED, "deleted"]);
/** Keys that one commit deletes. */
const BATCH = 200;
/** Milliseconds between two looks for messages that were deleted and not erased. */
const TICK_MS = 60_000;
/** Milliseconds that an isolate has to erase what it deleted, by the clock of any isolate. */
const ORPHAN_MS = 30_000;
/** Orphans that one look finds. */
const ORPHANS_MAX = 1_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What {@linkcode KvEraser} erases from. */
export interface KvEraserOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** Receives events. */
  readonly onEvent: (event: StoreEvent) => void;
}

/**
 * Takes what a deleted message said out of all its keys. Once a minute it is looked for messages
 * whose deletion was stored and whose eraser died.
 */
export class KvEraser {
  readonly #options: KvEraserOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = true;

  /** @param options Where to erase. */
  constructor(options: KvEraserOptions) {
    this.#options = options;
  }

  /** Begins to look for orphans. */
  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#schedule();
  }

  /** Stops. What is being erased is finished. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** As in {@linkcode RoomLog.erase}. */
  async erase(room: string, message: string): Promise<void> {
    const { handle, keys } = this.#options;
    const commit = commitOf(message);
    const index = indexOf(message);
    const isIt = (id: string) => cursorAt(commit, index, tagOf(id)) === message;
    // First of all: who compacts meanwhile has to do it once more.
    await handle.call("erase", (kv) => kv.set(keys.uncompacted, true));
    const edits = await this.#list({ prefix: keys.edits(room, message) });
    for (const key of edits) {
      const commit = String(key.at(-1));
      await this.rewrite([...keys.changes(room), commit], (text) => eraseEdits(text, message));
    }
    const prefix = [...keys.state(room), message];
    const states = await this.#list({ prefix });
    await this.#delete(states.filter((key) => !KEPT.has(key[prefix.length])));
    // After the rest: who reads the message and finds it here does all of it again.
    await this.rewrite([...keys.log(room), commit], (text) => {
      return eraseLines(text, new Map([[index, isIt]]));
    });
    await this.#delete([...edits, [...keys.erase, room, message]]);
  }

  /**
   * Rewrites an entry. Nobody else's rewriting is lost: the change is made again on what stands there
   * then.
   *
   * @param key The key of the entry.
   * @param change Gives the new text, or the same text; called once or more.
   * @param maxBytes The longest text that is written.
   * @returns Whether the entry was changed.
   */
  async rewrite(
    key: Deno.KvKey,
    change: (text: string) => string,
    maxBytes = Infinity,
  ): Promise<boolean> {
    const { handle } = this.#options;
    return await untilWritten(async () => {
      const entry = await handle.call("get", (kv) => kv.get<Uint8Array>(key));
      if (!(entry.value instanceof Uint8Array)) return false;
      const text = decoder.decode(entry.value);
      const changed = change(text);
      if (changed === text) return false;
      const bytes = encoder.encode(changed);
      if (bytes.length > maxBytes) return false;
      const { ok } = await handle.call("rewrite", (kv) => {
        return kv.atomic().check(entry).set(key, bytes).commit();
      });
      return ok ? true : undefined;
    });
  }

  /** Erases the messages that wait for it too long. */
  async tick(): Promise<number> {
    const { keys } = this.#options;
    const found = await this.#options.handle.call("list", async (kv) => {
      const listed = kv.list<number>({ prefix: keys.erase }, { limit: ORPHANS_MAX });
      return await Array.fromAsync(listed);
    });
    let erased = 0;
    for (const { key, value } of found) {
      // A time ahead is one of a clock that was wrong.
      if (Math.abs(Date.now() - value) < ORPHAN_MS) continue;
      const [room, message] = key.slice(-2).map(String);
      await this.erase(room, message);
      erased++;
    }
    if (erased > 0) this.#options.onEvent({ type: "orphans_erased", messages: erased });
    return erased;
  }

  #schedule(): void {
    this.#timer = setTimeout(async () => {
      try {
        await this.tick();
      } catch (error) {
        if (!this.#isStopped) this.#options.onEvent({ type: "erase_failed", error });
      }
      if (!this.#isStopped) this.#schedule();
    }, TICK_MS);
  }

  async #list(selector: { prefix: Deno.KvKey }): Promise<Deno.KvKey[]> {
    return await this.#options.handle.call("list", async (kv, progress) => {
      const found: Deno.KvKey[] = [];
      for await (const { key } of kv.list(selector, { batchSize: 500 })) {
        progress();
        found.push(key);
      }
      return found;
    });
  }

  async #delete(keys: readonly Deno.KvKey[]): Promise<void> {
    for (let at = 0; at < keys.length; at += BATCH) {
      await this.#options.handle.call("delete", (kv) => {
        const atomic = kv.atomic();
        for (const key of keys.slice(at, at + BATCH)) atomic.delete(key);
        return atomic.commit();
      });
    }
  }
}
