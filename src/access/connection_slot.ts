/**
 * A place that a connection holds within limits.
 *
 * @module
 */

import type { RequestSlot } from "./request_slot.ts";

/** A place that a connection holds until it ends. */
export interface ConnectionSlot extends RequestSlot {
  /**
   * Counts the connection for a room and a user.
   *
   * @param room The room; undefined for a connection that enters several.
   * @param owner Whose connection it is, as a key to count by; undefined for nobody's.
   * @throws {HttpError} If either has too many.
   */
  claim(room: string | undefined, owner: string | undefined): void;
  /**
   * Counts the connection for one more room.
   *
   * @param room The room, for which it must not count yet.
   * @throws {HttpError} If the room has too many.
   */
  enter(room: string): void;
  /**
   * Counts the connection for a room no longer.
   *
   * @param room The room.
   */
  exit(room: string): void;
  /** Counts the connection among those that were closed and whose peer has not gone yet. */
  markClosing(): void;
}
