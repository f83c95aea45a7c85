/**
 * Erasing of what users wrote, in Deno KV.
 *
 * @module
 */

import { eraseChanges, reactionsOf } from "../change.ts";
import { CHANGES_FROM, commitOf, cursorAt, indexOf, NO_COMMIT, tagOf } from "../cursor.ts";
import { eraseLines, linesOf } from "../entry_line.ts";
import { NOTHING, type StoreTask, type TaskStep } from "../store_tasks.ts";
import { untilWritten } from "./checked_write.ts";
import type { KvChanges } from "./kv_changes.ts";
import type { KvEraser } from "./kv_eraser.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";
import type { KvRoomMeta } from "./kv_room_meta.ts";

/** Entries that one step looks at. */
const STEP = 64;
/** How the place of a step begins that is at messages, and at changes. */
const MESSAGES = "m";
const CHANGES = "c";

const decoder = new TextDecoder();

/** What {@linkcode KvUserEraser} erases from. */
export interface KvUserEraserOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** Where logs count from, and who is being erased. */
  readonly meta: KvRoomMeta;
  /** The states of messages. */
  readonly changes: KvChanges;
  /** Rewrites entries. */
  readonly eraser: KvEraser;
}

/** An entry that holds something of a user. */
interface Found {
  readonly commit: string;
  readonly text: string;
}

/** Erases what a user wrote in a room, up to the place that says so. */
export class KvUserEraser {
  readonly #options: KvUserEraserOptions;

  /** @param options The database. */
  constructor(options: KvUserEraserOptions) {
    this.#options = options;
  }

  /** Erases what some entries hold: first messages, then reactions. */
  async step({ room, user, after }: StoreTask): Promise<TaskStep> {
    const { meta, handle, keys } = this.#options;
    const until = (await meta.read(room)).erasing.get(user);
    if (until === undefined) return { after: undefined, erased: NOTHING };
    // First of all: who compacts meanwhile has to do it once more.
    await handle.call("erase", (kv) => kv.set(keys.uncompacted, true));
    const isAtChanges = after.startsWith(CHANGES);
    const prefix = isAtChanges ? keys.changes(room) : keys.log(room);
    const start = after.slice(1) || NO_COMMIT;
    const { found, next } = await this.#list(room, { prefix, start, until });
    const erased = { ...NOTHING };
    for (const entry of found) {
      if (isAtChanges) erased.reactions += await this.#eraseReactions(room, user, entry, until);
      else erased.messages += await this.#eraseMessages(room, user, entry);
    }
    if (next !== undefined) return { after: (isAtChanges ? CHANGES : MESSAGES) + next, erased };
    return { after: isAtChanges ? undefined : CHANGES, erased };
  }

  /** Forgets that a user was erased, unless that was done once more. */
  async end(room: string, user: string): Promise<void> {
    const { handle, keys } = this.#options;
    await handle.call("delete", (kv) => kv.delete(keys.erasing(room, user)));
  }

  async #list(
    room: string,
    range: { readonly prefix: Deno.KvKey; readonly start: string; readonly until: string },
  ): Promise<{ readonly found: readonly Found[]; readonly next: string | undefined }> {
    const { handle, meta } = this.#options;
    const { prefix, start } = range;
    const end = commitOf(range.until) + "~";
    return await handle.call("read on", async (kv, progress) => {
      const found: Found[] = [];
      const options = { prefix, start, end, limit: STEP };
      for await (const { commit, value } of meta.entries(kv, room, options, progress)) {
        // Behind the last entry that was looked at.
        if (found.length === STEP) return { found, next: commit };
        if (value instanceof Uint8Array) found.push({ commit, text: decoder.decode(value) });
      }
      return { found, next: undefined };
    });
  }

  async #eraseMessages(room: string, user: string, { commit, text }: Found): Promise<number> {
    const { changes, eraser, keys } = this.#options;
    const lines = linesOf(text, user);
    if (lines.size === 0) return 0;
    const cursors = new Map([...lines].map(([index, id]) => {
      return [cursorAt(commit, index, tagOf(id)), id] as const;
    }));
    const range = { from: cursorAt(commit, 0, 0), to: cursorAt(commit, CHANGES_FROM - 1, 0) + "~" };
    const { messages } = await changes.states(room, { ...range, limit: Infinity });
    // What was changed has states and edits; the others go together.
    for (const message of messages.keys()) {
      if (cursors.has(message)) await eraser.erase(room, message);
    }
    await eraser.rewrite([...keys.log(room), commit], (text) => {
      const isIt = (id: string) => (other: string) => other === id;
      return eraseLines(text, new Map([...lines].map(([index, id]) => [index, isIt(id)])));
    });
    return lines.size;
  }

  async #eraseReactions(
    room: string,
    user: string,
    { commit, text }: Found,
    until: string,
  ): Promise<number> {
    const { eraser, handle, keys } = this.#options;
    const isBefore = (position: number) =>
      commit < commitOf(until) || CHANGES_FROM + position < indexOf(until);
    const reactions = [...reactionsOf(text, user)].filter(([position]) => isBefore(position));
    if (reactions.length === 0) return 0;
    let count = 0;
    for (const [, { message, emoji = "" }] of reactions) {
      const key = [...keys.state(room), message, "reaction", emoji, user];
      count += await untilWritten(async () => {
        const state = await handle.call("get", (kv) => kv.get(key));
        // Somebody of that name has reacted since.
        if (state.versionstamp === null || state.versionstamp > commitOf(until)) return 0;
        const { ok } = await handle.call("delete", (kv) => {
          return kv.atomic().check(state).delete(key).commit();
        });
        return ok ? 1 : undefined;
      });
    }
    const positions = new Set(reactions.map(([position]) => position));
    await eraser.rewrite([...keys.changes(room), commit], (text) => {
      return eraseChanges(text, (position) => positions.has(position));
    });
    return count;
  }
}
