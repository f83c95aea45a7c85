/**
 * Options of room logs in Deno KV.
 *
 * @module
 */

/** How `KvRoomLog` behaves. */
export interface KvRoomLogOptions {
  /**
   * Milliseconds for which messages are kept. What it says now is what counts, also for messages
   * that were stored under another.
   *
   * @default {undefined} for ever
   */
  readonly retentionMs?: number;
  /**
   * What stands before every key, so that logs can live in a database with other things in it.
   *
   * @default {[]}
   */
  readonly prefix?: Deno.KvKey;
  /** Milliseconds that the database has to answer a call. @default {10000} */
  readonly timeoutMs?: number;
  /**
   * Opens the database again, for one that is reached by URL: its client would repeat a call that
   * is not answered for ever. What it opens is closed by the log.
   *
   * @default {undefined} the same handle is used on
   */
  readonly reopen?: () => Promise<Deno.Kv>;
  /**
   * The database's file: where that is deleted or replaced while it is open, appends are refused
   * within a second, and {@linkcode RoomLog.probe} fails.
   *
   * @default {undefined}
   */
  readonly file?: string;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly elapsed?: () => number;
}
