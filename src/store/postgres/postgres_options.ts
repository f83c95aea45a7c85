/**
 * The options of room logs in PostgreSQL.
 *
 * @module
 */

import { checkInteger, TIMER_MAX_MS } from "../../protocol/checks.ts";

/** Milliseconds that a call may take where nothing else is said. */
const TIMEOUT_MS = 10_000;

/** How room logs in PostgreSQL behave. */
export interface PostgresRoomLogOptions {
  /**
   * Milliseconds for which messages are kept. What it says now is what counts, also for messages
   * that were stored under another.
   *
   * @default {undefined} for ever
   */
  readonly retentionMs?: number;
  /** Milliseconds that the database has to answer a call. @default {10000} */
  readonly timeoutMs?: number;
  /** The schema of the tables and functions. @default {"hubbub"} */
  readonly schema?: string;
  /**
   * The address of the server itself, where the other one is of a pooler such as PgBouncer: what is
   * heard by LISTEN belongs to one connection.
   *
   * @default {undefined} the same address
   */
  readonly listen?: string;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly elapsed?: () => number;
}

/**
 * Checks options.
 *
 * @param options What was given.
 * @returns What holds, with defaults.
 * @throws {RangeError} Where a number is out of range.
 * @throws {TypeError} Where the schema has a name that would have to be quoted.
 */
export function checkPostgresOptions(options: PostgresRoomLogOptions): {
  readonly retentionMs: number | undefined;
  readonly timeoutMs: number;
  readonly schema: string;
} {
  const { retentionMs, timeoutMs = TIMEOUT_MS, schema = "hubbub" } = options;
  checkInteger("retentionMs", retentionMs, { min: 1 });
  checkInteger("timeoutMs", timeoutMs, { min: 1, max: TIMER_MAX_MS });
  if (/^[a-z_][a-z0-9_]{0,39}$/.test(schema)) return { retentionMs, timeoutMs, schema };
  throw new TypeError(`Cannot use schema "${schema}": it must be a-z, 0-9 and _, 40 at most`);
}
