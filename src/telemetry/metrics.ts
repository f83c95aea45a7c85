/**
 * Counters of what the hub does.
 *
 * @module
 */

import { Histogram } from "./histogram.ts";
import { CLOSE_CODES } from "../protocol/mod.ts";

/** Upper ends in seconds: a commit takes less than a millisecond here, tens of them elsewhere. */
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** Upper ends in messages. */
const COMMIT_MESSAGES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000];
/** Upper ends in seconds. */
const LOOP_DELAY_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The owner of the count of connections. */
export interface ConnectionCounts {
  /** Connections now, those included that are being authorized or closed. */
  readonly connections: number;
  /** Connections now that were closed and whose peer has not gone yet. */
  readonly closingConnections: number;
}

/** The owner of what waits for members. */
export interface WaitingCounts {
  /** Bytes that wait for all members together, as of the last look. */
  readonly waitingBytes: number;
}

/**
 * The counters of a hub. Counting costs an addition; reading is left to
 * {@linkcode renderMetrics} and OpenTelemetry. One object a hub.
 *
 * @example
 * ```ts
 * import { Hub, Metrics, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * const metrics = new Metrics();
 * await using hub = new Hub(new KvRoomLog(kv), { metrics });
 * await hub.publish("lobby", "ann", { text: "hello" });
 * console.log(metrics.messagesStored); // 1
 * ```
 */
export class Metrics {
  /** Messages that were taken from senders. */
  messagesIn = 0;
  /** Messages that were stored. */
  messagesStored = 0;
  /** Messages that were refused because the log could not store them. */
  messagesNotStored = 0;
  /** Messages that moderation refused. */
  messagesRefused = 0;
  /** Messages that moderation failed to judge. */
  moderationFailures = 0;
  /** Messages that were not judged in time. */
  moderationTimeouts = 0;
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
  /** Calls of fan-outs, and of callbacks of the embedding program, that threw. */
  hookFailures = 0;
  /** Frames of typing and presence of which a member that was behind got the net change later. */
  framesConflated = 0;
  /** Answers that were cut off because they were not read. */
  answersCut = 0;
  /** Requests, joins and frames that waited because their address had its share of the processor. */
  workDelayed = 0;
  /** Members that were closed because they did not read fast enough. */
  membersTooSlow = 0;
  /** Repeats that could not be struck out of the log. */
  tombstoneFailures = 0;
  /** Changes of messages that were stored. */
  changesStored = 0;
  /** Rooms that operators deleted. */
  roomsDeleted = 0;
  /** Users that operators erased in all rooms. */
  usersErased = 0;
  /** Deleted messages that could not be erased, and files that could not be compacted. */
  eraseFailures = 0;
  /** Packets of other isolates before which something was missing. */
  clusterMessagesLost = 0;
  /** Fan-outs that reach the other isolates now: 1 or 0. */
  fanoutsConnected = 0;
  /** Messages that the fan-out dropped, since it did not reach the others or too much waited. */
  fanoutDropped = 0;
  /** Rooms that had fallen behind and learnt it from a bell. */
  roomsHealed = 0;
  /** Calls to the store that were not answered in time. */
  storeTimeouts = 0;
  /** Records of a log that could not be read and were passed over. */
  recordsDamaged = 0;
  /** Times the database was found put back to an earlier state. */
  storeWentBack = 0;
  /** Health checks that the database did not answer. */
  probeFailures = 0;
  /** Times it could not be found out whether somebody may come in. */
  authorizeFailures = 0;
  /** Times that was not found out in time. */
  authorizeTimeouts = 0;
  /** Log lines that could not be written. */
  logFailures = 0;
  /** Times the listener was opened again after `accept` had failed. */
  listenersReopened = 0;
  /** Connections that ended, by why: a close code's name, `left` or `lost`. */
  readonly closed: Map<string, number> = new Map();
  /** Connections and requests that were refused, by the limit that they reached. */
  readonly connectionsRefused: Map<string, number> = new Map();
  /** Messages that were refused because too many came, by the rate that they exceeded. */
  readonly messagesLimited: Map<string, number> = new Map();
  /** Requests, frames and envelopes that were answered with an error, by its code. */
  readonly rejected: Map<string, number> = new Map();
  readonly #commitSeconds = new Histogram(COMMIT_SECONDS);
  readonly #commitMessages = new Histogram(COMMIT_MESSAGES);
  readonly #loopDelay = new Histogram(LOOP_DELAY_SECONDS);
  #connections: ConnectionCounts | undefined;
  #waiting: WaitingCounts | undefined;

  /** Connections now, those included that are being authorized or closed. */
  get connections(): number {
    return this.#connections?.connections ?? 0;
  }

  /** Connections now that were closed and whose peer has not gone yet. */
  get stuckConnections(): number {
    return this.#connections?.closingConnections ?? 0;
  }

  /** Bytes that wait for members now, as of the last look. */
  get waitingBytes(): number {
    return this.#waiting?.waitingBytes ?? 0;
  }

  /**
   * Reads what is as it is now from its owners in a server, from now on.
   *
   * @param connections The owner of the count of connections.
   * @param waiting The owner of what waits for members.
   * @throws {TypeError} If there is a server already: its numbers would be lost.
   */
  readFrom(connections: ConnectionCounts, waiting: WaitingCounts): void {
    if (this.#connections) {
      throw new TypeError("Cannot create the server: its hub has a server already");
    }
    this.#connections = connections;
    this.#waiting = waiting;
  }

  /**
   * Counts one more.
   *
   * @param counter The counter.
   * @param label Its label: one of few names, never one from outside.
   */
  count(
    counter: "closed" | "connectionsRefused" | "messagesLimited" | "rejected",
    label: string,
  ): void {
    this[counter].set(label, (this[counter].get(label) ?? 0) + 1);
  }

  /**
   * Counts a commit.
   *
   * @param seconds The time that it took.
   * @param messages The number of messages in it.
   */
  observeCommit(seconds: number, messages: number): void {
    this.#commitSeconds.observe(seconds);
    this.#commitMessages.observe(messages);
  }

  /**
   * Counts the lateness of a timer.
   *
   * @param seconds The time by which it came late.
   */
  observeLoopDelay(seconds: number): void {
    this.#loopDelay.observe(seconds);
  }

  /**
   * Reads how values are distributed.
   *
   * @returns For each distribution the upper ends of all buckets but the last, which has none, the
   * number of values in each bucket, and the sum of all values.
   */
  distributions(): Record<
    "commitSeconds" | "commitMessages" | "loopDelay",
    { readonly bounds: readonly number[]; readonly counts: readonly number[]; readonly sum: number }
  > {
    return {
      commitSeconds: this.#commitSeconds,
      commitMessages: this.#commitMessages,
      loopDelay: this.#loopDelay,
    };
  }
}

/**
 * The name of a close code, as a label.
 *
 * @param code The code.
 * @returns Its name in {@linkcode CLOSE_CODES}; `other` for an unknown one.
 */
export function closeNameOf(code: number): string {
  for (const [name, known] of Object.entries(CLOSE_CODES)) if (known.code === code) return name;
  return "other";
}
