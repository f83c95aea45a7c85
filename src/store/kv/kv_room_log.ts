/**
 * The log of each room in Deno KV: keys, entries, cursors, appending and reading.
 *
 * @module
 */

import type { Duplicate, ReadOptions, RoomLog } from "../room_log.ts";
import { deadline } from "@std/async/deadline";
import { cursorAt, decodeEntry, indexOf, type LogEntry, type LogRecord, ORIGIN } from "../entry.ts";
import { versionstampOf, writeTombstones } from "../entry.ts";
import { BELL_COUNT, bellKey, bellOf, headKey, KV_LIMITS, logPrefix } from "./keys.ts";

/** Entries that one round trip to KV brings: more are wasted where an entry holds many messages. */
const READ_BATCH = 32;

/** Keys that one call of `getMany` takes. */
const GET_MANY_MAX = 10;

/** How {@linkcode KvRoomLog} behaves. */
export interface KvRoomLogOptions {
  /**
   * Milliseconds for which messages are kept.
   *
   * @default {undefined} for ever
   */
  readonly retentionMs?: number;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The logs of all rooms in one Deno KV. An append reads nothing and checks nothing: the database
 * gives the order. An entry is what one room got in one commit: JSON lines in UTF-8.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * const log = new KvRoomLog(kv, { retentionMs: 30 * 24 * 60 * 60 * 1000 });
 * await using hub = new Hub(log);
 * await hub.publish("lobby", "ann", { text: "hello" });
 * const [newest] = await log.last("lobby", { limit: 1 });
 * console.log(newest.user, newest.cursor);
 * ```
 */
export class KvRoomLog implements RoomLog {
  readonly #kv: Deno.Kv;
  readonly #retentionMs: number | undefined;
  readonly #now: () => number;

  /**
   * Makes the logs of a database.
   *
   * @param kv The database, which stays the caller's to close.
   * @param options How long messages are kept.
   */
  constructor(kv: Deno.Kv, options: KvRoomLogOptions = {}) {
    this.#kv = kv;
    this.#retentionMs = options.retentionMs;
    this.#now = options.now ?? Date.now;
  }

  /** Whether messages expire, so that the beginning of a log may be missing. */
  get expires(): boolean {
    return this.#retentionMs !== undefined;
  }

  /**
   * Appends one entry to each of several rooms, all or nothing.
   *
   * @param entries By room, the entry and how many messages it holds. Together they must fit
   * {@linkcode KV_LIMITS}: see {@linkcode entryCost}.
   * @returns The versionstamp of the commit, the same for all rooms.
   * @throws Whatever KV rejects with; then nothing may be taken as stored.
   */
  async append(entries: ReadonlyMap<string, LogEntry>): Promise<string> {
    const options = this.#setOptions();
    // No check, sum or min here: with several isolates on SQLite they throw "database is locked".
    const atomic = this.#kv.atomic();
    const bells = new Set<number>();
    for (const [room, entry] of entries) {
      atomic.set([...logPrefix(room), this.#kv.commitVersionstamp()], entry.bytes, options);
      atomic.set(headKey(room), entry.count);
      bells.add(bellOf(room));
    }
    for (const bell of bells) atomic.set(bellKey(bell), true);
    const result = await atomic.commit();
    if (!result.ok) throw new Error("KV refused a commit that checks nothing");
    return result.versionstamp;
  }

  /**
   * Reads the newest records of a room.
   *
   * @param room Its name.
   * @param options How many.
   * @returns Oldest first.
   */
  async last(room: string, options: ReadOptions): Promise<LogRecord[]> {
    return await this.#readBack(room, { prefix: logPrefix(room) }, options);
  }

  /**
   * Reads the records just before a place.
   *
   * @param room Its name.
   * @param cursor The place; need not be one of a message.
   * @param options How many.
   * @returns Oldest first; empty at the beginning of the log.
   */
  async before(room: string, cursor: string, options: ReadOptions): Promise<LogRecord[]> {
    const prefix = logPrefix(room);
    // The end is exclusive, and the cursor may stand in the middle of its entry.
    const end = [...prefix, versionstampOf(cursor) + "~"];
    return await this.#readBack(room, { prefix, end }, options, cursor);
  }

  /**
   * Reads the records just after a place.
   *
   * @param room Its name.
   * @param cursor The place; need not be one of a message.
   * @param options How many, and how far.
   * @returns Oldest first; empty at the end of the log.
   */
  async after(room: string, cursor: string, options: ReadOptions): Promise<LogRecord[]> {
    const prefix = logPrefix(room);
    const start = [...prefix, versionstampOf(cursor)];
    const { limit, until, shownOnly, maxLength = Infinity } = options;
    const selector = until === undefined
      ? { prefix, start }
      : { start, end: [...prefix, versionstampOf(until) + "~"] };
    const found: LogRecord[] = [];
    let length = 0;
    const listed = this.#kv.list<Uint8Array>(selector, { batchSize: READ_BATCH });
    for await (const { key, value } of listed) {
      for (const record of this.#records(room, String(key.at(-1)), value)) {
        if (record.cursor <= cursor || (until !== undefined && record.cursor > until)) continue;
        if (shownOnly && record.repeats) continue;
        found.push(record);
        length += record.envelope.length;
        if (found.length >= limit || length >= maxLength) return found;
      }
    }
    return found;
  }

  /**
   * Strikes messages out that repeat another, so that no reader sees them again. Isolates may do
   * so at the same time: what is a repeat depends on the log alone.
   *
   * @param room Its name.
   * @param repeats Messages with what they repeat. One whose entry would not fit any more stays.
   * @throws Whatever KV rejects with.
   */
  async writeTombstones(room: string, repeats: readonly Duplicate[]): Promise<void> {
    const byEntry = Map.groupBy(repeats, ({ record }) => versionstampOf(record.cursor));
    for (const [versionstamp, group] of byEntry) {
      const key = [...logPrefix(room), versionstamp];
      const { value } = await this.#kv.get<Uint8Array>(key);
      if (value === null) continue;
      const lines = new Map(group.map(({ record: { cursor, id }, first }) => {
        return [indexOf(cursor), { id, first }];
      }));
      const text = decoder.decode(value);
      const struck = writeTombstones(text, lines);
      const bytes = encoder.encode(struck);
      if (struck === text || bytes.length > KV_LIMITS.valueBytes) continue;
      await this.#kv.set(key, bytes, this.#setOptions());
    }
  }

  /**
   * Tells whether a room has a message at a place.
   *
   * @param room Its name.
   * @param cursor The place.
   * @returns True where that message exists and has not expired.
   */
  async has(room: string, cursor: string): Promise<boolean> {
    const versionstamp = versionstampOf(cursor);
    const { value } = await this.#kv.get<Uint8Array>([...logPrefix(room), versionstamp]);
    if (value === null) return false;
    return this.#records(room, versionstamp, value).some((record) => record.cursor === cursor);
  }

  /**
   * Reads where the log of a room ends.
   *
   * @param room Its name.
   * @returns The cursor of its newest message; {@linkcode ORIGIN} where it never had one.
   */
  async head(room: string): Promise<string> {
    return headCursor(await this.#kv.get<number>(headKey(room)));
  }

  /**
   * Reads where the logs of several rooms end.
   *
   * @param rooms Their names.
   * @returns The cursor of each one's newest message, in the order of the names.
   */
  async heads(rooms: readonly string[]): Promise<string[]> {
    const heads: string[] = [];
    for (let i = 0; i < rooms.length; i += GET_MANY_MAX) {
      const keys = rooms.slice(i, i + GET_MANY_MAX).map(headKey);
      heads.push(...(await this.#kv.getMany<number[]>(keys)).map(headCursor));
    }
    return heads;
  }

  /**
   * Watches the bells. What rings often in a short time may be told once.
   *
   * @returns The bells that rang, beginning with all that ever did; cancel it to stop.
   */
  watch(): ReadableStream<number[]> {
    const last: (string | null)[] = [];
    const keys = Array.from({ length: BELL_COUNT }, (_, bell) => bellKey(bell));
    return this.#kv.watch(keys).pipeThrough(
      new TransformStream<Deno.KvEntryMaybe<unknown>[], number[]>({
        transform: (entries, controller) => {
          const rung: number[] = [];
          entries.forEach(({ versionstamp }, bell) => {
            if (versionstamp !== null && versionstamp !== last[bell]) rung.push(bell);
            last[bell] = versionstamp;
          });
          controller.enqueue(rung);
        },
      }),
    );
  }

  /**
   * Reads one key, to see that the database answers.
   *
   * @param timeoutMs Milliseconds to wait for it.
   * @throws Whatever KV rejects with, or a `TimeoutError`.
   */
  async probe(timeoutMs: number): Promise<void> {
    await deadline(this.#kv.get(bellKey(0)), timeoutMs);
  }

  async #readBack(
    room: string,
    selector: Deno.KvListSelector,
    { limit, shownOnly }: ReadOptions,
    before?: string,
  ): Promise<LogRecord[]> {
    const found: LogRecord[] = [];
    const listed = this.#kv.list<Uint8Array>(selector, { reverse: true, batchSize: READ_BATCH });
    for await (const { key, value } of listed) {
      const records = this.#records(room, String(key.at(-1)), value);
      if (records.length === 0) break; // It has expired, and so has everything before it.
      for (let i = records.length - 1; i >= 0 && found.length < limit; i--) {
        if (before !== undefined && records[i].cursor >= before) continue;
        if (!shownOnly || !records[i].repeats) found.push(records[i]);
      }
      if (found.length >= limit) break;
    }
    return found.reverse();
  }

  /**
   * Tells whether a record is young enough to be shown.
   *
   * @param record A record of any room.
   * @returns False where it has expired; KV sweeps such keys late.
   */
  keeps(record: LogRecord): boolean {
    const oldest = this.#oldest();
    return oldest === undefined || record.sentAt >= oldest;
  }

  #records(room: string, versionstamp: string, bytes: Uint8Array): LogRecord[] {
    const records = decodeEntry(room, versionstamp, decoder.decode(bytes));
    const oldest = this.#oldest();
    return oldest === undefined ? records : records.filter((record) => record.sentAt >= oldest);
  }

  #setOptions(): { expireIn: number } | undefined {
    return this.#retentionMs === undefined ? undefined : { expireIn: this.#retentionMs };
  }

  #oldest(): string | undefined {
    if (this.#retentionMs === undefined) return undefined;
    return new Date(this.#now() - this.#retentionMs).toISOString();
  }
}

function headCursor({ value, versionstamp }: Deno.KvEntryMaybe<number>): string {
  return versionstamp === null ? ORIGIN : cursorAt(versionstamp, value - 1);
}
