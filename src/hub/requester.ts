/**
 * Whom a log is read for.
 *
 * @module
 */

/** Whom a room's log is read for: a member, or a program around the hub. */
export interface Requester {
  /**
   * Where it comes from: what is read of logs for those of one address waits in turn with what is read
   * for others.
   *
   * @default {undefined} by the room
   */
  readonly address?: string;
  /**
   * Counts what was read for it: a room that is in memory reads nothing. Must not throw.
   *
   * @param length UTF-16 code units of messages.
   */
  onRead?(length: number): void;
}
