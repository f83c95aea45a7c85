/**
 * Places that a database no longer knows.
 *
 * @module
 */

/**
 * A record that was read before is gone although nobody removed it: the database was put back to an
 * earlier state.
 */
export class PlaceLostError extends Error {
  /**
   * @param room The room.
   * @param cursor The place of the record.
   */
  constructor(room: string, cursor: string) {
    super(`The log of room "${room}" no longer holds what stood at ${cursor}`);
    this.name = "PlaceLostError";
  }
}
