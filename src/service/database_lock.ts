/**
 * The lock that keeps a second process from a database file.
 *
 * @module
 */

import type { Logger } from "../telemetry/logger.ts";
import { takeProcessLock } from "./process_lock.ts";
import { StartError } from "./start_error.ts";

/** Milliseconds that a process waits for another that is about to stop. */
const WAIT_MS = 5_000;
/** Milliseconds between two tries. */
const TRY_MS = 100;
/** Milliseconds that SQLite has to close a database before the lock is given back. */
const CLOSE_MS = 100;
/** The owner reads and writes, nobody else: SQLite gives its files beside it the same mode. */
const MODE = 0o600;

/** A database that belongs to this process until it is given back. */
export interface DatabaseLock extends AsyncDisposable {
  /** Gives it back. The database must have been closed. */
  release(): Promise<void>;
}

/** Options of {@linkcode lockDatabase}. */
export interface DatabaseLockOptions {
  /** Milliseconds to wait for a process that is about to stop. @default {5000} */
  readonly waitMs?: number;
}

/**
 * Locks a database file for this process: another one that appends to it would not be heard here,
 * and its messages would be missed. The file is created, for its owner alone, where there is none.
 *
 * On Linux the lock is on the file itself (`flock`), so a symbolic or hard link to it is the same
 * file, and there is nothing that somebody could remove. Elsewhere it is on `<path>.lock`, because
 * such a lock would shut out SQLite too. It ends with the process, however that ends.
 *
 * @param path The database, as for `Deno.openKv`; what is no file needs no lock.
 * @param logger Receives `lock_failed`, where this system or this Deno cannot lock files.
 * @param options How long to wait for a process that is about to stop.
 * @returns The lock; undefined where nothing is locked.
 * @throws {StartError} `kv_in_use` where another process has the file and keeps it, `kv_failed`
 * where it can be neither opened nor created.
 */
export async function lockDatabase(
  path: string | undefined,
  logger: Logger,
  options: DatabaseLockOptions = {},
): Promise<DatabaseLock | undefined> {
  if (path === undefined || path === ":memory:" || /^https?:/.test(path)) return undefined;
  const until = performance.now() + (options.waitMs ?? WAIT_MS);
  // A second descriptor in this process would do harm when it is closed again: see below.
  const claim = await retry(() => takeProcessLock(`hubbub ${path}`), until);
  if (!claim) throw inUse(path);
  await using undo = new AsyncDisposableStack();
  undo.defer(claim);
  const file = await open(path);
  undo.use(file);
  let isLocked: boolean;
  try {
    isLocked = await retry(() => tryLock(file), until);
  } catch (error) {
    logger("warn", "lock_failed", { kv: path, error });
    return undefined;
  }
  if (!isLocked) throw inUse(path);
  const resources = undo.move();
  const release = async () => {
    // Closing any descriptor of a file takes SQLite's own locks on it away from the whole process,
    // and a database goes on closing after kv.close().
    if (!resources.disposed) await new Promise((resolve) => setTimeout(resolve, CLOSE_MS));
    await resources.disposeAsync();
  };
  return { release, [Symbol.asyncDispose]: release };
}

async function open(path: string): Promise<Deno.FsFile> {
  const options = { create: true, read: true, write: true, mode: MODE };
  try {
    const file = await Deno.open(path, options);
    if (Deno.build.os === "linux") return file;
    file.close();
    return await Deno.open(`${path}.lock`, options);
  } catch (cause) {
    throw new StartError("kv_failed", { kv: path }, cause);
  }
}

async function tryLock(file: Deno.FsFile): Promise<boolean> {
  if (typeof file.tryLock === "function") return await file.tryLock(true);
  // As in Deno 2.5.
  throw `Deno ${Deno.version.deno} cannot lock files: let no other process use this one`;
}

async function retry<T>(attempt: () => Promise<T>, until: number): Promise<T> {
  for (;;) {
    const result = await attempt();
    if (result || performance.now() > until) return result;
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
}

function inUse(path: string): StartError {
  const why = `${path} is in use by another process: let that serve (start:parallel has several ` +
    "isolates), or give both the URL of a remote KV";
  return new StartError("kv_in_use", { kv: path }, why);
}
