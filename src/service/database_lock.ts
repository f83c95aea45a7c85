/**
 * One process for one database file.
 *
 * @module
 */

import type { Logger } from "../telemetry/logger.ts";
import { StartError } from "./start_error.ts";

/** Milliseconds that a process waits for another that is about to stop. */
const WAIT_MS = 5_000;
/** Milliseconds between two tries. */
const TRY_MS = 100;

/**
 * Takes the file of a database for this process: another one that appends to it would not be
 * heard here, and its messages would be missed. The lock is a file beside it, and ends with the
 * process, however that ends.
 *
 * @param path The database, as for `Deno.openKv`; what is no file needs no lock.
 * @param logger Hears where nothing is locked: the lock file cannot be made, or Deno knows no lock.
 * @param options How long to wait for a process that is about to stop.
 * @returns The lock, to be closed when the database is; undefined where nothing is locked.
 * @throws {Error} Where another process has the lock, and keeps it.
 */
export async function lockDatabase(
  path: string | undefined,
  logger: Logger,
  options: { readonly waitMs?: number } = {},
): Promise<Pick<Deno.FsFile, "close"> | undefined> {
  if (path === undefined || path === ":memory:" || /^https?:/.test(path)) return undefined;
  let file: Deno.FsFile;
  try {
    file = await Deno.open(`${path}.lock`, { create: true, write: true });
  } catch (error) {
    logger("warn", "lock_failed", { kv: path, error });
    return undefined;
  }
  // As Deno 2.5 does.
  if (typeof file.tryLock !== "function") {
    file.close();
    const error = `Deno ${Deno.version.deno} cannot lock files: let no other process use this one`;
    logger("warn", "lock_failed", { kv: path, error });
    return undefined;
  }
  const until = performance.now() + (options.waitMs ?? WAIT_MS);
  while (!await file.tryLock(true)) {
    if (performance.now() > until) {
      file.close();
      throw new Error(
        `${path} is in use by another process: let that serve (start:parallel has several ` +
          "isolates), or give both the URL of a remote KV",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
  return file;
}

/**
 * Takes the database for this process.
 *
 * @param path What to give `Deno.openKv`.
 * @param logger Takes what an operator should know.
 * @returns What gives it back; undefined where there is nothing to give back.
 * @throws {StartError} Where another process has it.
 */
export async function takeDatabase(
  path: string | undefined,
  logger: Logger,
): Promise<{ close(): void } | undefined> {
  try {
    return await lockDatabase(path, logger);
  } catch (cause) {
    throw new StartError("kv_in_use", { kv: path }, cause);
  }
}
