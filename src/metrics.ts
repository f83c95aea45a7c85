/**
 * Counters of what the hub does.
 *
 * @module
 */

/**
 * Plain counters that only grow, and are read by whoever shows them. One object a hub.
 *
 * @example
 * ```ts ignore
 * const metrics = new Metrics();
 * metrics.messagesStored += 3;
 * ```
 */
export class Metrics {
  /** Messages that were taken from senders. */
  messagesIn = 0;
  /** Messages that were stored. */
  messagesStored = 0;
  /** Messages that were refused because the log could not store them. */
  messagesNotStored = 0;
  /** Messages that repeated an earlier one. */
  repeats = 0;
  /** Copies of messages that were handed to members. */
  messagesDelivered = 0;
  /** Commits that succeeded. */
  commits = 0;
  /** Commits that failed. */
  commitFailures = 0;
  /** Reads of a log that failed. */
  readFailures = 0;
  /** Times a room read its log to get on. */
  catchUps = 0;
  /** Members that failed to take a frame. */
  memberFailures = 0;
  /** Frames of typing and presence that were left out for members that were behind. */
  framesShed = 0;
  /** Members that were closed because they did not read fast enough. */
  membersTooSlow = 0;
  /** Repeats that could not be struck out of the log. */
  strikeFailures = 0;
  /** Packets of other isolates before which something was missing. */
  packetsLost = 0;
  /** Rooms that had fallen behind and learnt it from a bell. */
  roomsHealed = 0;
}
