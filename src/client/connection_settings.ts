/**
 * The durations and bounds of a connection.
 *
 * @module
 */

import { checkInteger, checkNumber, TIMER_MAX_MS } from "../protocol/checks.ts";
import type { ConnectOptions } from "./chat_events.ts";

const MIN_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
const QUIET_MS = 20_000;
/** The most milliseconds for the answer to a test of a silent connection. */
const ANSWER_MS = 5_000;
/** The most milliseconds for a token, for an upgrade, and for the head of an HTTP answer. */
const PATIENCE_MS = 10_000;
/** Messages that may wait to be sent. */
const QUEUE_LIMIT = 1_000;

/** The durations and bounds of a connection, checked; no duration is longer than a timer can be. */
export interface ConnectionSettings {
  /** Milliseconds of the first backoff, at most. */
  readonly minDelayMs: number;
  /** Milliseconds of any wait for another try, whatever asks for it. */
  readonly maxDelayMs: number;
  /** Milliseconds of silence after which a connection is tested. */
  readonly quietMs: number;
  /** Milliseconds in which a silent connection must answer a test. */
  readonly answerMs: number;
  /** Milliseconds in which a token, an upgrade and the head of an HTTP answer must come. */
  readonly patienceMs: number;
  /** Messages that may wait to be sent and acknowledged. */
  readonly queueLimit: number;
}

/**
 * Checks the durations and bounds among a connection's options, and adds what is left out.
 *
 * @param options The options.
 * @returns The settings. Durations over 2³¹ − 1 ms, `Infinity` among them, become that.
 * @throws {TypeError} Where one is no number.
 * @throws {RangeError} Where a duration is under 1 ms, `minDelayMs` over `maxDelayMs`, or the
 * limit of the queue no whole number.
 *
 * @example
 * ```ts
 * import { settingsOf } from "./connection_settings.ts";
 *
 * console.log(settingsOf({ quietMs: Infinity }).quietMs); // 2147483647
 * ```
 */
export function settingsOf(
  options: Pick<ConnectOptions, "reconnect" | "quietMs" | "queueLimit">,
): ConnectionSettings {
  const { reconnect = {}, queueLimit = QUEUE_LIMIT } = options;
  const maxDelayMs = duration("reconnect.maxDelayMs", reconnect.maxDelayMs ?? MAX_DELAY_MS);
  const least = Math.min(MIN_DELAY_MS, maxDelayMs);
  const minDelayMs = duration("reconnect.minDelayMs", reconnect.minDelayMs ?? least, maxDelayMs);
  const quietMs = duration("quietMs", options.quietMs ?? QUIET_MS);
  if (queueLimit !== Infinity) checkInteger("queueLimit", queueLimit, { min: 1 });
  return {
    minDelayMs,
    maxDelayMs,
    quietMs,
    answerMs: Math.min(quietMs, ANSWER_MS),
    patienceMs: Math.min(2 * quietMs, PATIENCE_MS),
    queueLimit,
  };
}

function duration(name: string, ms: number, max = Infinity): number {
  // Less than a millisecond makes a loop without a pause.
  checkNumber(name, ms, { min: 1, max });
  return Math.min(ms, TIMER_MAX_MS);
}
