/**
 * What becomes of a change that is sent again.
 *
 * @module
 */

import type { Claim } from "../store/claimed_error.ts";
import { ORIGIN } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import { changeRecord } from "../store/folded_record.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { NOT_FOUND } from "./change_rules.ts";
import { refReused } from "./duplicate_results.ts";
import type { ChangeResult } from "./publish_result.ts";
import { CHANGES_KEPT, type RecentChanges } from "./recent_changes.ts";

/** How {@linkcode ChangeRepeats} behaves. */
export interface ChangeRepeatsOptions {
  /** The name of the room. */
  readonly room: string;
  /** Its newest changes. */
  readonly recent: RecentChanges;
  /** The rooms' logs. */
  readonly log: Pick<RoomLog, "changes">;
  /** Delivers what is in the log. Never rejects. */
  readonly catchUp: () => Promise<void>;
  /** Receives operational events. Must not throw. */
  readonly logger: Logger;
  /** The hub's counters. */
  readonly metrics: Metrics;
}

/** What a sender sent again. */
export interface ChangeSentAgain {
  /** The sender. */
  readonly user: string;
  /** Its name for the change. */
  readonly ref?: string;
  /** The hash of what was sent. */
  readonly hash: number;
}

/** Finds the results of changes that were made before, on whichever isolate. */
export class ChangeRepeats {
  readonly #options: ChangeRepeatsOptions;

  /** @param options Where changes are. */
  constructor(options: ChangeRepeatsOptions) {
    this.#options = options;
  }

  /** Whether {@linkcode ChangeRepeats.find} knows the newest changes. */
  get isPrimed(): boolean {
    return this.#options.recent.isPrimed;
  }

  /** Reads the newest changes, once. Rejects where the store does. */
  async prime(): Promise<void> {
    const { log, recent, room } = this.#options;
    if (recent.isPrimed) return;
    const found = await log.changes(room, ORIGIN, { limit: CHANGES_KEPT, newest: true });
    recent.prime(found.map(changeRecord));
  }

  /**
   * Finds the result of a change that was made before, in memory.
   *
   * @param sent What was sent.
   * @returns Undefined where none is known.
   */
  find(sent: ChangeSentAgain): ChangeResult | undefined {
    if (sent.ref === undefined) return undefined;
    const stored = this.#options.recent.find(sent.user, sent.ref);
    return stored && resultOf(sent, stored.hash, stored);
  }

  /**
   * Finds the result of a change that the store knows to have been made before. What is in the log up
   * to there is delivered first: its sender stands there then.
   *
   * @param sent What was sent.
   * @param claim The change that was made before.
   * @returns The result.
   */
  async read(sent: ChangeSentAgain, { cursor, hash }: Claim): Promise<ChangeResult> {
    const { catchUp, log, logger, metrics, room } = this.#options;
    if (hash !== sent.hash) return resultOf(sent, hash, undefined);
    await catchUp();
    const known = this.find(sent);
    if (known) return known;
    try {
      const options = { limit: 1, newest: true, until: cursor };
      const [change] = await log.changes(room, ORIGIN, options);
      const record = change?.cursor === cursor ? changeRecord(change) : undefined;
      return resultOf(sent, hash, record);
    } catch (error) {
      metrics.readFailures++;
      logger("error", "read_failed", { room, error });
      const message = "The change was stored before, and cannot be read now";
      return { status: "refused", problem: { code: "unavailable", message, ref: sent.ref } };
    }
  }
}

function resultOf(
  { ref, hash }: ChangeSentAgain,
  before: number | undefined,
  change: LogRecord | undefined,
): ChangeResult {
  if (before !== undefined && before !== hash) {
    return { status: "refused", problem: refReused(ref) };
  }
  // The message was deleted since, and the edit erased.
  if (!change || change.envelope === "") {
    return { status: "refused", problem: { ...NOT_FOUND, ref } };
  }
  return { status: "duplicate", change };
}
