/**
 * The options of room logs in PostgreSQL.
 *
 * @module
 */

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
