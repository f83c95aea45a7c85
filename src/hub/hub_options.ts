/**
 * The options of a hub.
 *
 * @module
 */

import type { Fanout } from "../cluster/fanout.ts";
import { EXPIRY_MS, HEARTBEAT_MS } from "../cluster/presence_exchange.ts";
import {
  checkBoolean,
  checkCallable,
  checkInteger,
  checkNumber,
  TIMER_MAX_MS,
} from "../protocol/checks.ts";
import { type Limits, TEXT_MAX_BYTES_DEFAULT, TYPING_TIMEOUT_MS } from "../protocol/mod.ts";
import type { Logger } from "../telemetry/logger.ts";
import { Metrics } from "../telemetry/metrics.ts";
import type { HubHooks } from "./hooks.ts";
import type { Moderate } from "./moderation.ts";

/** How a hub behaves. */
export interface HubOptions extends HubHooks {
  /** What members may do; what is left out has its default. */
  readonly limits?: Partial<Limits>;
  /** Receives operational events. @default {jsonLogger()} */
  readonly logger?: Logger;
  /** The counters. @default {new Metrics()} */
  readonly metrics?: Metrics;
  /** Judges each message before it is stored. @default {undefined} all are stored as they are */
  readonly moderate?: Moderate;
  /** Milliseconds from its arrival within which a message must be judged. @default {5000} */
  readonly moderationTimeoutMs?: number;
  /**
   * What becomes of a message that is not judged in time: it is refused with `unavailable`, and may
   * be sent again, or it is stored as it came.
   *
   * @default {"refuse"}
   */
  readonly moderationLate?: "refuse" | "accept";
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
  /** How to reach the other isolates on the same logs. @default {undefined} through the logs alone */
  readonly fanout?: Fanout;
  /**
   * Whether this hub is the only one that ever appends to its logs, in any process. Appends need not
   * be read back then, and the store is not watched. Where two hubs say so of one database, neither
   * sees the other's messages.
   *
   * @default {false}
   */
  readonly alone?: boolean;
  /**
   * Whether the isolates of this process commit in turn (by a Web Lock, where the runtime has
   * them): those that write one SQLite file would otherwise sleep in its busy handler.
   *
   * @default {false}
   */
  readonly commitInTurn?: boolean;
  /** Milliseconds between two heartbeats to the other isolates. @default {2000} */
  readonly heartbeatMs?: number;
  /** Milliseconds without a heartbeat after which another isolate is taken for dead. @default {7000} */
  readonly expiryMs?: number;
}

/**
 * Checks the options of a hub.
 *
 * @param options The options as given.
 * @returns The limits, with their defaults.
 * @throws {TypeError} Where one is of the wrong type, or two contradict each other.
 * @throws {RangeError} Where a number is out of its range.
 *
 * @example
 * ```ts
 * import { checkHubOptions } from "./hub_options.ts";
 *
 * console.log(checkHubOptions({ limits: { message_burst: 5 } }).message_burst); // 5
 * ```
 */
export function checkHubOptions(options: HubOptions): Limits {
  const { alone, commitInTurn, expiryMs, fanout, heartbeatMs, logger, metrics, moderate, now } =
    options;
  checkCallable("logger", logger);
  checkCallable("moderate", moderate);
  for (const hook of ["onMessage", "onJoin", "onLeave"] as const) {
    checkCallable(hook, options[hook]);
  }
  const { moderationLate, moderationTimeoutMs } = options;
  checkInteger("moderationTimeoutMs", moderationTimeoutMs, { min: 1, max: TIMER_MAX_MS });
  if (moderationLate !== undefined && moderationLate !== "refuse" && moderationLate !== "accept") {
    throw new TypeError(`Cannot use moderationLate ${moderationLate}: it must be refuse or accept`);
  }
  checkCallable("now", now);
  checkCallable("fanout", fanout, ["publish", "subscribe", "close"]);
  checkBoolean("alone", alone);
  checkBoolean("commitInTurn", commitInTurn);
  if (metrics !== undefined && !(metrics instanceof Metrics)) {
    throw new TypeError("Cannot use metrics {…}: it must be made by new Metrics()");
  }
  checkInteger("heartbeatMs", heartbeatMs, { min: 1, max: TIMER_MAX_MS });
  checkInteger("expiryMs", expiryMs, { min: 1, max: TIMER_MAX_MS });
  const [heartbeat, expiry] = [heartbeatMs ?? HEARTBEAT_MS, expiryMs ?? EXPIRY_MS];
  if (expiry <= heartbeat) {
    const why = "an isolate would be taken for dead between two heartbeats";
    throw new RangeError(`Cannot use expiryMs ${expiry} with heartbeatMs ${heartbeat}: ${why}`);
  }
  if (alone && fanout) {
    throw new TypeError("Cannot use alone with a fanout: a hub that is alone has nobody to reach");
  }
  if (alone && commitInTurn) {
    throw new TypeError("Cannot use alone with commitInTurn: there is nobody to take turns with");
  }
  return limitsOf(options.limits ?? {});
}

function limitsOf(given: Partial<Limits>): Limits {
  const limits: Limits = {
    text_max_bytes: given.text_max_bytes ?? TEXT_MAX_BYTES_DEFAULT,
    typing_timeout_ms: given.typing_timeout_ms ?? TYPING_TIMEOUT_MS,
    messages_per_second: given.messages_per_second ?? 20,
    message_burst: given.message_burst ?? 40,
  };
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(limits, name)) continue;
    throw new TypeError(`Cannot use limits.${name}: there is no such limit`);
  }
  checkInteger("limits.text_max_bytes", limits.text_max_bytes, { min: 1 });
  checkInteger("limits.typing_timeout_ms", limits.typing_timeout_ms, {
    min: 1,
    max: TIMER_MAX_MS,
  });
  checkNumber("limits.messages_per_second", limits.messages_per_second);
  const min = limits.messages_per_second > 0 ? 1 : 0;
  checkInteger("limits.message_burst", limits.message_burst, { min });
  return limits;
}
