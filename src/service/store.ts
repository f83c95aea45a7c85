/**
 * The store of a server, as the configuration describes it.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import { KvRoomLog } from "../store/kv/kv_room_log.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Configuration } from "./configuration.ts";
import { lockDatabase } from "./database_lock.ts";
import { type MachineClients, NO_CLIENT, type PostgresModule } from "./machine_clients.ts";
import { StartError } from "./start_error.ts";

/** Milliseconds that a database has to finish what it is doing before it is closed. */
const CLOSE_MS = 500;

/** A store that is open. */
export interface OpenStore {
  /** The logs. */
  readonly log: RoomLog;
  /** Whether other processes may append to it. */
  readonly isShared: boolean;
  /** Closes it, unless it hangs: then it keeps its lock, until the process ends. */
  close(): Promise<void>;
}

/** Options of {@linkcode openStore}. */
export interface OpenStoreOptions extends MachineClients {
  /** Whether other workers of this process open it too: then the main thread has locked it. */
  readonly parallel: boolean;
  /** Receives operational events. */
  readonly logger: Logger;
}

/**
 * Opens the store. What cannot be opened leaves nothing behind.
 *
 * @param configuration What the environment says.
 * @param options Who else opens it.
 * @returns The store.
 * @throws {StartError} Where it cannot be opened.
 */
export async function openStore(
  configuration: Configuration,
  options: OpenStoreOptions,
): Promise<OpenStore> {
  const { kv: path, postgres, postgresListen: listen, retentionMs } = configuration;
  const { logger, parallel } = options;
  if (postgres !== undefined) {
    return await openPostgres(postgres, { listen, retentionMs }, options.postgres);
  }
  await using undo = new AsyncDisposableStack();
  const lock = parallel ? undefined : undo.use(await lockDatabase(path, logger));
  const kv = await openKv(path);
  undo.move();
  const isShared = path === undefined || isUrl(path);
  const log = new KvRoomLog(kv, {
    retentionMs,
    // A client of a remote database repeats for ever what is not answered.
    reopen: isUrl(path) ? () => Deno.openKv(path) : undefined,
    // Written to while it is deleted, a file takes everything and keeps nothing.
    file: isShared || path === ":memory:" ? undefined : path,
  });
  const close = async () => {
    if (await closeKv(kv, logger)) await lock?.release();
  };
  return { log, isShared, close };
}

async function openPostgres(
  url: string,
  options: { readonly listen?: string; readonly retentionMs?: number },
  module: PostgresModule | undefined,
): Promise<OpenStore> {
  try {
    if (!module) throw NO_CLIENT;
    const log = await module.PostgresRoomLog.open(url, options);
    const close = async () => void await deadline(log.close(), CLOSE_MS).catch(() => {});
    return { log, isShared: true, close };
  } catch (cause) {
    throw new StartError("postgres_failed", { postgres: shownAddress(url) }, cause);
  }
}

/**
 * An address without a password, to be shown.
 *
 * @param url The address of a server.
 * @returns Its host, port and path.
 */
export function shownAddress(url: string): string {
  return url.replace(/^\w+:\/\/(?:[^@/]*@)?/, "").replace(/\?.*$/, "");
}

function isUrl(path: string | undefined): boolean {
  return path !== undefined && /^https?:/.test(path);
}

async function openKv(path: string | undefined): Promise<Deno.Kv> {
  if (typeof Deno.openKv !== "function") {
    const why = "This Deno has no KV: start it with --unstable-kv, or beside a deno.json with " +
      '"unstable": ["kv"]';
    throw new StartError("no_kv", { deno: Deno.version.deno }, why);
  }
  try {
    return await Deno.openKv(path);
  } catch (cause) {
    throw new StartError("kv_failed", { kv: path }, cause);
  }
}

/**
 * Closes a database, unless it hangs: `kv.close()` waits, and holds up the whole isolate, until
 * the commit in flight is done. A commit of nothing takes its turn behind that one, and writes
 * nothing to the disk.
 *
 * @returns Whether it is closed.
 */
async function closeKv(kv: Deno.Kv, logger: Logger): Promise<boolean> {
  try {
    const nothing = kv.atomic().check({ key: ["none"], versionstamp: null }).commit();
    await deadline(nothing, CLOSE_MS);
  } catch (error) {
    if (error instanceof DOMException) {
      logger("warn", "kv_left_open", { error });
      return false;
    }
    // A database that refuses can be closed.
  }
  kv.close();
  return true;
}
