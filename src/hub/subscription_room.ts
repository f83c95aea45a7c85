/**
 * What a room does for its subscriptions.
 *
 * @module
 */

import type { Problem } from "../protocol/mod.ts";
import type { LogRecord } from "../store/entry.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { ChangeSubmission } from "./change_rules.ts";
import type { JudgementQueue } from "./judgement_queue.ts";
import type { Submission } from "./room_append.ts";
import type { RoomReads } from "./room_reads.ts";

/** The room of a subscription. */
export interface SubscriptionRoom<S> {
  /** Its name. */
  readonly name: string;
  /** Tells what keeps a member from being in the room. */
  banOf(subscription: S): Problem | undefined;
  /** Tells what keeps a member from sending. */
  problemOf(subscription: S): Problem | undefined;
  /** Creates the queue of what a member sends; undefined where nothing is judged. */
  createQueue(connection: object): JudgementQueue | undefined;
  /** Publishes a message. */
  publish(submission: Submission): void;
  /** Changes a message. */
  change(submission: ChangeSubmission): void;
  /**
   * Sends a subscription what it sent again, unless the room has not come to that: what is between
   * would be missing, and the member gets all of it in its turn, or when it comes back.
   */
  repeat(subscription: S, record: LogRecord): void;
  /** Starts or renews the typing of a subscription. */
  startTyping(subscription: S): void;
  /** Ends the typing of a subscription. */
  stopTyping(subscription: S): void;
  /** Shows the display name and the role that the member has by now. */
  refresh(subscription: S): void;
  /** Moves and tells read marks. */
  readonly reads: Pick<RoomReads, "move" | "tell">;
  /** Removes a subscription that ends. */
  remove(subscription: S): void;
  /** Receives operational events. Must not throw. */
  readonly logger: Logger;
  /** The hub's counters. */
  readonly metrics: Metrics;
}
