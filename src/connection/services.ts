/**
 * The services that the connections of a server share.
 *
 * @module
 */

import type { Hub } from "../hub/hub.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { ConnectionMonitor } from "./connection_monitor.ts";
import type { TurnScheduler } from "./turn_scheduler.ts";
import type { WriteScheduler } from "./write_scheduler.ts";

/** The services that the connections of a server share, made once by `createServer`. */
export interface ConnectionServices {
  /** The hub, with its rooms, limits and counters. */
  readonly hub: Hub;
  /** Receives operational events. */
  readonly logger: Logger;
  /** Supervises connections, and limits what waits for them. */
  readonly monitor: ConnectionMonitor;
  /** Sends what takes more than one frame for many connections. */
  readonly scheduler: WriteScheduler;
  /** Lets few rooms be joined in each turn of the event loop. */
  readonly joinTurns: TurnScheduler;
  /** Lets few frames be handled in each turn, of addresses that have their share of the processor. */
  readonly frameTurns: TurnScheduler;
}
