/**
 * Which rooms grew.
 *
 * @module
 */

/** Which rooms grew after a commit. */
export interface Growth {
  /** The newest commit that was looked at; that of the question where there was none. */
  readonly upTo: string;
  /**
   * By room, the cursor of its newest record among those commits, that of the question included.
   * Where the store does not know the record, a cursor of the commit that is none.
   */
  readonly rooms: ReadonlyMap<string, string>;
}
