/**
 * What a room has besides messages, in Deno KV.
 *
 * @module
 */

import type { ChangeWrites } from "../change_entry.ts";
import { CHANGES_FROM, commitOf, cursorAt, ORIGIN, tagOf } from "../cursor.ts";
import type { RoomMeta } from "../room_meta.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";
import { listLong } from "./kv_list.ts";

/** A place in the commit that wrote it. */
type PlaceValue = readonly [index: number, tag: number];

/** What {@linkcode KvRoomMeta} is over. */
export interface KvRoomMetaOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
}

/** Which entries of a room are listed. */
export interface EntriesRange {
  /** The key of the entries, without the commit. */
  readonly prefix: Deno.KvKey;
  /** The first commit. */
  readonly start: string;
  /** What no commit reaches. @default {undefined} to the end */
  readonly end?: string;
  /** Whether the last one comes first. @default {false} */
  readonly reverse?: boolean;
  /** Records that are wanted: so many entries at most are read for them at first. */
  readonly limit: number;
}

/** An entry, and the place from which the log counts: of its own commit some records may not. */
export interface CountedEntry {
  readonly commit: string;
  readonly value: Uint8Array;
  readonly from: string;
}

/** Facts of a room, a key each: all are written blind, and the last write stands. */
export class KvRoomMeta {
  readonly #options: KvRoomMetaOptions;

  /** @param options The database. */
  constructor(options: KvRoomMetaOptions) {
    this.#options = options;
  }

  /** Adds what a room's changes say of it to an atomic. */
  compose(atomic: Deno.AtomicOperation, room: string, changes: readonly ChangeWrites[]): void {
    const { keys } = this.#options;
    const cleared = changes.findLastIndex(({ clears }) => clears);
    const counted = changes.slice(cleared + 1);
    const setsState = ({ states }: ChangeWrites) =>
      states.some(({ message }) => message === undefined);
    // A deletion says by itself that it is there.
    for (
      const [fact, isOne] of [
        ["changes", counted.length > 0],
        ["controls", counted.some(setsState)],
      ] as const
    ) {
      if (isOne) atomic.set([...keys.meta(room), fact], true);
      else if (cleared >= 0) atomic.delete([...keys.meta(room), fact]);
    }
    changes.forEach(({ id, clears, erases }, position) => {
      const place: PlaceValue = [CHANGES_FROM + position, tagOf(id)];
      if (clears) {
        atomic.set(keys.from(room), place);
        atomic.set(keys.task("clear", room, ""), { since: Date.now() });
      }
      if (erases === undefined) return;
      atomic.set(keys.erasing(room, erases), place);
      atomic.set(keys.task("erase_user", room, erases), { since: Date.now() });
    });
  }

  /** As in {@linkcode RoomLog.meta}. */
  async read(room: string): Promise<RoomMeta> {
    const { handle, keys } = this.#options;
    const prefix = keys.meta(room);
    return await handle.call("read meta", async (kv, progress) => {
      const found = new Map<unknown, string>();
      const erasing = new Map<string, string>();
      for await (const entry of kv.list<PlaceValue>({ prefix })) {
        progress();
        const [fact, user] = entry.key.slice(prefix.length);
        if (typeof user === "string") erasing.set(user, placeOf(entry));
        else found.set(fact, fact === "from" ? placeOf(entry) : "");
      }
      const from = found.get("from") ?? ORIGIN;
      return {
        hasChanges: found.has("changes"),
        hasControls: found.has("controls"),
        from,
        erasing,
      };
    });
  }

  /**
   * Lists entries that count. From where they do is read beside the first ones, not before them.
   *
   * @param kv The database.
   * @param room The room.
   * @param range Which entries.
   * @param progress Called after each step.
   * @returns The entries.
   */
  async *entries(
    kv: Deno.Kv,
    room: string,
    range: EntriesRange,
    progress: () => void,
  ): AsyncGenerator<CountedEntry, void> {
    const { prefix, end, reverse = false, limit: wanted } = range;
    const counted = this.from(kv, room);
    counted.catch(() => {}); // It is thrown where it is waited for.
    for (let start: string | undefined = range.start; start !== undefined;) {
      const first: Deno.KvKey = [...prefix, start];
      start = undefined;
      const selector = end === undefined
        ? { prefix, start: first }
        : { start: first, end: [...prefix, end] };
      for await (const { key, value } of listLong(kv, selector, { reverse, wanted })) {
        progress();
        const commit = String(key.at(-1));
        const from = await counted;
        if (commit >= commitOf(from)) {
          yield { commit, value, from };
          continue;
        }
        if (!reverse && (end === undefined || commitOf(from) < end)) start = commitOf(from);
        break;
      }
    }
  }

  /** Reads the place from which a log counts, of what became visible before the call. */
  async from(kv: Deno.Kv, room: string): Promise<string> {
    return originOf(await kv.get<PlaceValue>(this.#options.keys.from(room)));
  }

  /** Reads the places from which logs count. */
  async manyFrom(kv: Deno.Kv, rooms: readonly string[]): Promise<string[]> {
    const { keys } = this.#options;
    return (await kv.getMany<PlaceValue[]>(rooms.map((room) => keys.from(room)))).map(originOf);
  }
}

function originOf(entry: Deno.KvEntryMaybe<PlaceValue>): string {
  return entry.versionstamp === null ? ORIGIN : placeOf(entry);
}

function placeOf({ value, versionstamp }: Deno.KvEntry<PlaceValue>): string {
  return Array.isArray(value) ? cursorAt(versionstamp, value[0], value[1]) : ORIGIN;
}
