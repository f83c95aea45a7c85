/**
 * Reading room logs in Deno KV.
 *
 * @module
 */

import {
  CHANGES_FROM,
  commitOf,
  cursorAt,
  ENTRY_MAX_RECORDS,
  isCommit,
  ORIGIN,
  placeOf,
  TAG_MAX,
  tagOf,
} from "../cursor.ts";
import { decodeEntry, type LogEntry, type LogRecord } from "../entry.ts";
import { PlaceLostError } from "../place_lost.ts";
import type { ReadOptions } from "../read_options.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvExpiry } from "./kv_expiry.ts";
import type { KvKeys } from "./keys.ts";
import { type KvPlaces, stands } from "./kv_places.ts";
import type { KvRoomMeta } from "./kv_room_meta.ts";

/** Keys that one call of `getMany` takes. */
const GET_MANY_MAX = 10;
/** Damaged places that are remembered, so that each is reported once. */
const DAMAGED_MAX = 1_000;
/** A cursor after all others. */
const END = "z".repeat(ORIGIN.length);

const decoder = new TextDecoder();

/** What {@linkcode KvReader} reads. */
export interface KvReaderOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** What has expired. */
  readonly expiry: KvExpiry;
  /** Where logs count from. */
  readonly meta: KvRoomMeta;
  /** Knows whether records were lost. */
  readonly places: KvPlaces;
  /** Called once for each record that cannot be read. */
  readonly onDamaged: (room: string, cursor: string) => void;
}

/** The value of a head: the index of the newest record in its entry, and its tag. */
export type HeadValue = readonly [index: number, tag: number];

/** Where a log ends that got an entry: changes stand behind messages. */
export function headOf({ count, lastId, changes: entry }: LogEntry): HeadValue {
  if (!entry) return [count - 1, tagOf(lastId)];
  const last = entry.changes.length - 1;
  return [CHANGES_FROM + last, tagOf(entry.changes[last].id)];
}

/** Reads room logs. */
export class KvReader {
  readonly #options: KvReaderOptions;
  readonly #damaged = new Set<string>();

  /** @param options What to read. */
  constructor(options: KvReaderOptions) {
    this.#options = options;
  }

  /** Reads the records before a place; without one, the newest. */
  async before(room: string, options: ReadOptions, cursor: string = END): Promise<LogRecord[]> {
    const { handle, keys, expiry, meta } = this.#options;
    const { limit, shownOnly, maxLength = Infinity } = options;
    if (limit <= 0) return [];
    const place = placeOf(cursor);
    const first = await expiry.first(room);
    const range = {
      prefix: keys.log(room),
      start: commitOf(first),
      // The end is exclusive, and the cursor may stand in the middle of its entry.
      end: commitOf(cursor) + "~",
      reverse: true,
      limit,
    };
    return await handle.call("read back", async (kv, progress) => {
      const found: LogRecord[] = [];
      let length = 0;
      for await (const { commit, value, from } of meta.entries(kv, room, range, progress)) {
        const records = this.#decode(room, commit, value);
        for (let i = records.length - 1; i >= 0; i--) {
          const record = records[i];
          if (placeOf(record.cursor) >= place) continue;
          if (record.cursor < first || record.cursor < from) continue;
          if (shownOnly && record.repeats) continue;
          found.push(record);
          length += record.envelope.length;
          if (found.length >= limit || length >= maxLength) return found.reverse();
        }
      }
      return found.reverse();
    });
  }

  /** Reads the records after a place. */
  async after(room: string, options: ReadOptions, cursor: string): Promise<LogRecord[]> {
    const { handle, keys, expiry, meta, places } = this.#options;
    const { limit, until, shownOnly, follows = false, maxLength = Infinity } = options;
    if (limit <= 0) return [];
    const first = await expiry.first(room);
    const place = placeOf(cursor);
    if (until !== undefined && placeOf(until) <= place) return [];
    const range = {
      prefix: keys.log(room),
      start: commitOf(cursor < first ? first : cursor),
      end: until === undefined ? undefined : commitOf(until) + "~",
      limit,
    };
    // The record that is followed comes with the first entry, in the same read.
    let isSure = !follows || cursor === ORIGIN || cursor < first;
    const read = await handle.call("read on", async (kv, progress) => {
      const found: LogRecord[] = [];
      let length = 0;
      for await (const { commit, value, from } of meta.entries(kv, room, range, progress)) {
        isSure ||= commit === commitOf(cursor) && stands(value, room, cursor);
        for (const record of this.#decode(room, commit, value)) {
          if (placeOf(record.cursor) <= place) continue;
          if (record.cursor < first || record.cursor < from) continue;
          if (until !== undefined && record.cursor > until) return found;
          if (shownOnly && record.repeats) continue;
          found.push(record);
          length += record.envelope.length;
          if (found.length >= limit || length >= maxLength) return found;
        }
      }
      return found;
    });
    if (!isSure && await places.isLost(room, cursor)) throw new PlaceLostError(room, cursor);
    return read;
  }

  /** Reads the record at a place. */
  async get(room: string, cursor: string): Promise<LogRecord | undefined> {
    const { handle, keys, expiry, meta } = this.#options;
    if (cursor < await expiry.first(room)) return undefined;
    const commit = commitOf(cursor);
    const key = [...keys.log(room), commit];
    const [{ value }, from] = await handle.call("get", (kv) => {
      return Promise.all([kv.get<Uint8Array>(key), meta.from(kv, room)]);
    });
    if (value === null || cursor < from) return undefined;
    return this.#decode(room, commit, value).find((record) => record.cursor === cursor);
  }

  /** Tells whether nothing was removed from the beginning of a log. */
  async isWhole(room: string): Promise<boolean> {
    const { handle, keys, expiry, meta } = this.#options;
    if (await expiry.first(room) !== ORIGIN) return false;
    const [{ versionstamp }, from] = await handle.call("get", (kv) => {
      return Promise.all([kv.get(keys.swept(room)), meta.from(kv, room)]);
    });
    return versionstamp === null && from === ORIGIN;
  }

  /** Reads where logs end. */
  async heads(rooms: readonly string[]): Promise<string[]> {
    const { handle, keys } = this.#options;
    const batches: string[][] = [];
    for (let at = 0; at < rooms.length; at += GET_MANY_MAX) {
      batches.push(rooms.slice(at, at + GET_MANY_MAX));
    }
    const read = await handle.call("read heads", (kv, progress) => {
      return Promise.all(batches.map(async (batch) => {
        const heads = await kv.getMany<unknown[]>(batch.map((room) => keys.head(room)));
        progress();
        return heads;
      }));
    });
    return await Promise.all(
      read.flat().map(({ value, versionstamp }, index) => {
        if (versionstamp === null) return ORIGIN;
        // What versions before 0.1.0 or other programs wrote there does not tell.
        return isHead(value) ? cursorAt(versionstamp, ...value) : this.#newest(rooms[index]);
      }),
    );
  }

  /** Reads the cursor of the newest record in a log, also where that has expired. */
  async #newest(room: string): Promise<string> {
    const { handle, keys } = this.#options;
    return await handle.call("read the end", async (kv, progress) => {
      const listed = kv.list({ prefix: keys.log(room) }, { reverse: true, batchSize: 1 });
      for await (const { key, value } of listed) {
        progress();
        const newest = this.#decode(room, String(key.at(-1)), value).at(-1);
        if (newest) return newest.cursor;
      }
      return ORIGIN;
    });
  }

  /** Lists rooms: one short read each, however long their logs are. */
  async rooms(limit: number, after: string | undefined): Promise<string[]> {
    const { handle, keys } = this.#options;
    return await handle.call("list rooms", async (kv, progress) => {
      const found: string[] = [];
      // Before texts and behind them stand keys that are nobody's room.
      let start = after === undefined ? [...keys.rooms, ""] : behind(keys, after);
      for (let isEnd = false; !isEnd && found.length < limit;) {
        const names: string[] = [];
        while (names.length < Math.min(GET_MANY_MAX, limit - found.length)) {
          const listed = kv.list({ prefix: keys.rooms, start }, { limit: 1 });
          const { value: entry } = await listed.next();
          progress();
          const room = entry && keys.roomOf(entry.key);
          isEnd = room === undefined;
          if (room === undefined) break;
          names.push(room);
          start = behind(keys, room);
        }
        found.push(...await this.#notDeleted(kv, names));
        progress();
      }
      return found;
    });
  }

  /** Those of some rooms that were never deleted, or have a message since. */
  async #notDeleted(kv: Deno.Kv, rooms: readonly string[]): Promise<string[]> {
    if (rooms.length === 0) return [];
    const { keys, meta } = this.#options;
    const froms = await meta.manyFrom(kv, rooms);
    const kept = await Promise.all(rooms.map(async (room, index) => {
      if (froms[index] === ORIGIN) return true;
      // Messages of the commit that deleted it stand before that.
      const prefix = keys.log(room);
      const selector = { prefix, start: [...prefix, commitOf(froms[index]) + "~"] };
      return !(await kv.list(selector, { limit: 1 }).next()).done;
    }));
    return rooms.filter((_, index) => kept[index]);
  }

  #decode(room: string, commit: string, value: unknown): LogRecord[] {
    if (!isCommit(commit)) {
      this.#report(room, ORIGIN);
      return [];
    }
    const damaged = (index: number) => {
      if (index < ENTRY_MAX_RECORDS) this.#report(room, cursorAt(commit, index, 0));
    };
    if (value instanceof Uint8Array) {
      return decodeEntry(decoder.decode(value), { room, commit }, damaged);
    }
    damaged(0);
    return [];
  }

  #report(room: string, cursor: string): void {
    const place = `${room} ${cursor}`;
    if (this.#damaged.has(place) || this.#damaged.size >= DAMAGED_MAX) return;
    this.#damaged.add(place);
    this.#options.onDamaged(room, cursor);
  }
}

/** Whether a value is that of a head. */
export function isHead(value: unknown): value is HeadValue {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [index, tag] = value;
  return Number.isInteger(index) && index >= 0 && index < 2 * ENTRY_MAX_RECORDS &&
    Number.isInteger(tag) && tag >= 0 && tag <= TAG_MAX;
}

/** A key behind all of a room's, and before those of the next one. */
function behind(keys: KvKeys, room: string): Deno.KvKey {
  return [...keys.rooms, room + "\0"];
}
