/**
 * The fan-out of a server, as the configuration describes it.
 *
 * @module
 */

import { BroadcastChannelFanout } from "../cluster/broadcast_channel_fanout.ts";
import type { Fanout } from "../cluster/fanout.ts";
import { NatsFanout } from "../cluster/nats/nats_fanout.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Configuration } from "./configuration.ts";
import type { PostgresModule } from "./store.ts";

/**
 * Makes the fan-out: NATS where there is one, else what the store has, else that of the process.
 *
 * @param configuration What the environment says.
 * @param options Whether there are other workers in this process, and the client of PostgreSQL.
 * @returns The fan-out; undefined where nobody would be heard.
 */
export function openFanout(
  configuration: Configuration,
  options: {
    readonly parallel: boolean;
    readonly logger: Logger;
    readonly postgres?: PostgresModule;
  },
): Fanout | undefined {
  const { kv, nats, postgres, postgresListen } = configuration;
  if (nats !== undefined) return new NatsFanout({ servers: nats });
  if (postgres !== undefined && options.postgres) {
    return new options.postgres.PostgresFanout(postgresListen ?? postgres);
  }
  // Processes of their own hear nothing of each other in memory; isolates of Deno Deploy may.
  if (!options.parallel && kv !== undefined) return undefined;
  if (typeof BroadcastChannel === "function") return new BroadcastChannelFanout();
  const message = "No BroadcastChannel: other isolates are heard through the database alone";
  options.logger("warn", "no_fanout", { message });
  return undefined;
}
