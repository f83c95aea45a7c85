/**
 * Giving back the space of what was erased in a database's file.
 *
 * @module
 */

import type { Compaction } from "../compaction.ts";
import type { StoreEvent } from "../store_event.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";

/** Milliseconds between two times that the file is compacted by itself. */
const EVERY_MS = 24 * 60 * 60 * 1000;
/** Bytes of a file that is compacted by itself: writes wait meanwhile, some seconds for 100 MB. */
const AUTO_MAX_BYTES = 256 * 1024 * 1024;
/** Milliseconds between two times that it is seen whether that is due. */
const TICK_MS = 10 * 60 * 1000;

/**
 * Runs in a worker, since SQLite keeps the thread that calls it.
 *
 * `VACUUM` needs a second database for a moment, which Deno allows only to a program that may do
 * everything. Otherwise the same is done by hand: free pages are overwritten, and the table is
 * written anew, all with `secure_delete`, by which pages that are freed are overwritten too.
 */
const PROGRAM = `
import { DatabaseSync } from "node:sqlite";

function rebuild(database) {
  const get = (sql) => database.prepare(sql).get();
  const freePages = () => get("PRAGMA freelist_count").freelist_count;
  const pageSize = get("PRAGMA page_size").page_size;
  database.exec("BEGIN IMMEDIATE; CREATE TABLE hubbub_blank (b BLOB)");
  const blank = database.prepare("INSERT INTO hubbub_blank VALUES (zeroblob(?))");
  for (let free = freePages(); free > 1; free = freePages()) {
    blank.run(Math.min(free - 1, 10_000) * (pageSize - 4));
  }
  database.exec("DROP TABLE hubbub_blank; COMMIT; BEGIN IMMEDIATE");
  const { sql } = get("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'kv'");
  const indexes = database.prepare(
    "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'kv' AND sql IS NOT NULL",
  ).all();
  database.exec(sql.replace(/^CREATE TABLE "?kv"?/, "CREATE TABLE hubbub_kv"));
  database.exec("INSERT INTO hubbub_kv SELECT * FROM kv; DROP TABLE kv");
  database.exec("ALTER TABLE hubbub_kv RENAME TO kv");
  for (const { sql } of indexes) database.exec(sql);
  database.exec("COMMIT");
}

self.onmessage = ({ data: file }) => {
  try {
    const database = new DatabaseSync(file);
    try {
      database.exec("PRAGMA busy_timeout = 30000; PRAGMA secure_delete = ON");
      try {
        database.exec("VACUUM");
      } catch (error) {
        if (!/attached/.test(error.message)) throw error;
        rebuild(database);
      }
      // What is in the file by now must leave the write-ahead log as well.
      for (let attempt = 0; attempt < 100; attempt++) {
        const { busy } = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
        if (busy === 0) return self.postMessage("");
      }
      throw new Error("Others read the database all the time");
    } finally {
      database.close();
    }
  } catch (error) {
    self.postMessage(String(error?.message ?? error));
  }
};
`;

/** The Web Lock that the isolates of a process take in turn to compact. */
const COMPACT_LOCK = "hubbub.v1.compact";

/** Deno 2.9 has Web Locks, and no types for them; 2.5 has none. */
interface WithLocks {
  readonly locks?: { request<T>(name: string, action: () => Promise<T>): Promise<T> };
}

/** What {@linkcode KvCompactor} compacts. */
export interface KvCompactorOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** The database's file; undefined where it has none here. */
  readonly file: string | undefined;
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed: () => number;
  /** Receives events. */
  readonly onEvent: (event: StoreEvent) => void;
}

/**
 * Takes the bytes of what was erased out of the file: Deno KV leaves them in free pages. Once a day
 * where something was erased, and whenever it is asked for.
 */
export class KvCompactor {
  readonly #options: KvCompactorOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #compactedAt = -Infinity;
  #running: Promise<Compaction | undefined> | undefined;

  /** @param options What to compact. */
  constructor(options: KvCompactorOptions) {
    this.#options = options;
  }

  /** Begins to compact the file once a day. */
  start(): void {
    if (this.#options.file === undefined || this.#timer !== undefined) return;
    this.#timer = setInterval(() => void this.tick(), TICK_MS);
  }

  /** Stops. What is being compacted is finished. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Compacts the file where that is due. Never rejects. */
  async tick(): Promise<void> {
    const { handle, keys, elapsed, onEvent } = this.#options;
    if (elapsed() - this.#compactedAt < EVERY_MS) return;
    try {
      const { versionstamp } = await handle.call("get", (kv) => kv.get(keys.uncompacted));
      if (versionstamp === null) return;
      const { size } = await Deno.stat(this.#options.file!);
      if (size <= AUTO_MAX_BYTES) return void await this.compact();
      // Writes would wait for longer than they may.
      this.#compactedAt = elapsed();
      throw new Error(`A file of ${size} bytes is not compacted while it is in use`);
    } catch (error) {
      onEvent({ type: "compact_failed", error });
    }
  }

  /**
   * Compacts the file: one isolate of a process at a time.
   *
   * @returns What it came to; undefined where there is none.
   * @throws {Error} Where that fails; then the next day tries again.
   */
  compact(): Promise<Compaction | undefined> {
    return this.#running ??= this.#compact().finally(() => this.#running = undefined);
  }

  async #compact(): Promise<Compaction | undefined> {
    const { handle, keys, file, elapsed, onEvent } = this.#options;
    if (file === undefined) return undefined;
    // Before it, and not after: what is erased meanwhile is left to the next time.
    const { versionstamp } = await handle.call("get", (kv) => kv.get(keys.uncompacted));
    await handle.call("delete", (kv) => kv.delete(keys.uncompacted));
    const { size: before } = await Deno.stat(file);
    try {
      await inTurn(() => runProgram(file));
    } catch (error) {
      if (versionstamp !== null) {
        await handle.call("set", (kv) => kv.set(keys.uncompacted, true));
      }
      throw error;
    }
    this.#compactedAt = elapsed();
    onEvent({ type: "store_compacted" });
    const { size: after } = await Deno.stat(file);
    return { before, after };
  }
}

/** Waits for the other isolates of this process, where there are locks. */
async function inTurn(action: () => Promise<void>): Promise<void> {
  const { locks } = navigator as WithLocks;
  await (locks ? locks.request(COMPACT_LOCK, action) : action());
}

async function runProgram(file: string): Promise<void> {
  const url = `data:text/javascript,${encodeURIComponent(PROGRAM)}`;
  const worker = new Worker(url, { type: "module" });
  try {
    const wrong = await new Promise<string>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(event.message || "The worker failed");
      };
      worker.postMessage(file);
    });
    if (wrong !== "") throw new Error(`Cannot compact the database: ${wrong}`);
  } finally {
    worker.terminate();
  }
}
