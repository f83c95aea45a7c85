/**
 * Places that a database no longer knows.
 *
 * @module
 */

/**
 * A record that was read before is gone although nobody removed it: the database was put back to an
 * earlier state.
 *
 * @example
 * ```ts
 * import { PlaceLostError } from "@hubbub/hub";
 *
 * const error = new PlaceLostError("lobby", "0000000000PI0000KkM9");
 * console.log(error.message); // The log of room "lobby" no longer holds …
 * ```
 */
export class PlaceLostError extends Error {
  /**
   * Names the room and the place.
   *
   * @param room The room.
   * @param cursor The place of the record.
   */
  constructor(room: string, cursor: string) {
    super(`The log of room "${room}" no longer holds what stood at ${cursor}`);
    this.name = "PlaceLostError";
  }
}
