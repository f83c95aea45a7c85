/**
 * What giving back space came to.
 *
 * @module
 */

/** What compacting a database's file came to. */
export interface Compaction {
  /** Bytes of the file before. */
  readonly before: number;
  /** Bytes of the file after. */
  readonly after: number;
}
