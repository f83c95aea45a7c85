/**
 * The fan-out of a server, as the configuration describes it.
 *
 * @module
 */

import { BroadcastChannelFanout } from "../cluster/broadcast_channel_fanout.ts";
import type { Fanout } from "../cluster/fanout.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Configuration } from "./configuration.ts";
import { type MachineClients, NO_CLIENT } from "./machine_clients.ts";
import { StartError } from "./start_error.ts";
import { shownAddress } from "./store.ts";

/**
 * Makes the fan-out: NATS where there is one, else what the store has, else that of the process.
 *
 * @param configuration What the environment says.
 * @param options Whether there are other workers in this process, and the clients.
 * @returns The fan-out; undefined where nobody would be heard.
 * @throws {StartError} Where its client is missing.
 */
export function openFanout(
  configuration: Configuration,
  options: MachineClients & { readonly parallel: boolean; readonly logger: Logger },
): Fanout | undefined {
  const { kv, nats, postgres, postgresListen } = configuration;
  if (nats !== undefined) {
    if (!options.nats) {
      const shown = nats.split(",").map((server) => shownAddress(server.trim()));
      throw new StartError("nats_failed", { nats: shown.join(",") }, NO_CLIENT);
    }
    return new options.nats.NatsFanout({ servers: nats });
  }
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
