/**
 * Which rooms grew.
 *
 * @module
 */

/** Which rooms grew after a commit. */
export interface Growth {
  /** The newest commit that was looked at; that of the question where there was none. */
  readonly upTo: string;
  /** By room, the newest commit that appended to it. */
  readonly rooms: ReadonlyMap<string, string>;
}
