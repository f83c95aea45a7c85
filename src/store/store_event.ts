/**
 * Events of stores.
 *
 * @module
 */

/** What a store reports while it is in use. */
export type StoreEvent =
  /** A record could not be read and was passed over. */
  | { readonly type: "record_damaged"; readonly room: string; readonly cursor: string }
  /** What deleted messages said was erased by this isolate because the one that deleted them had not. */
  | { readonly type: "orphans_erased"; readonly messages: number }
  | { readonly type: "erase_failed"; readonly error: unknown }
  /** The bytes of what was erased were taken out of the file, or could not be. */
  | { readonly type: "store_compacted" }
  | { readonly type: "compact_failed"; readonly error: unknown }
  /** A call was not answered in time. */
  | { readonly type: "store_timeout"; readonly error: Error }
  /** The database was opened again, or could not be. */
  | { readonly type: "store_reopened" }
  | { readonly type: "store_reopen_failed"; readonly error: unknown }
  /** The server answers before a commit is durable: a crash of it may lose what members saw. */
  | { readonly type: "store_not_durable" }
  /** Messages older than the retention were deleted, or could not be. */
  | { readonly type: "store_swept"; readonly rooms: number; readonly entries: number }
  | { readonly type: "store_sweep_failed"; readonly error: unknown };
