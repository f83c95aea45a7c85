/**
 * Rooms as the watcher of the log sees them.
 *
 * @module
 */

/** A room in memory whose log is watched. */
export interface WatchedRoom {
  /** Its name. */
  readonly name: string;
  /** Where it stands. */
  readonly cursor: string;
  /** Reads the log on from there. Never rejects. */
  catchUp(): Promise<void>;
}
