/**
 * The part of the configuration that joins machines: the store that they share, and a broker.
 *
 * @module
 */

import { natsServers } from "../cluster/nats/nats_servers.ts";
import type { Environment } from "./environment.ts";

/** Where messages are kept, and how machines tell each other. */
export interface MachineConfiguration {
  /** The argument of `Deno.openKv`; undefined for the assigned database of Deno Deploy. */
  readonly kv: string | undefined;
  /** The address of a PostgreSQL in place of the KV. @default {undefined} */
  readonly postgres?: string;
  /** The address of the server itself, where the other one is a pooler's. @default {undefined} */
  readonly postgresListen?: string;
  /** Addresses of NATS. @default {undefined} */
  readonly nats?: string;
}

/**
 * Reads that part.
 *
 * @param environment The environment.
 * @param isDeploy Whether this is Deno Deploy.
 * @returns What is set.
 * @throws {RangeError} If a value cannot be used, or two contradict each other; the message holds no
 * password.
 */
export function readMachines(environment: Environment, isDeploy: boolean): MachineConfiguration {
  const postgres = environment.text("HUBBUB_POSTGRES");
  const postgresListen = environment.text("HUBBUB_POSTGRES_LISTEN");
  const nats = environment.text("HUBBUB_NATS");
  const given = environment.text("HUBBUB_KV");
  if (postgres !== undefined && given !== undefined) {
    throw new RangeError("HUBBUB_POSTGRES and HUBBUB_KV are both set: only one can be");
  }
  if (postgresListen !== undefined && postgres === undefined) {
    throw new RangeError("HUBBUB_POSTGRES_LISTEN is set, but HUBBUB_POSTGRES is not");
  }
  for (const [name, url] of Object.entries({ postgres, postgres_listen: postgresListen })) {
    if (url === undefined || /^postgres(ql)?:\/\/[^\s/?]+(\/|\?|$)/.test(url)) continue;
    const variable = `HUBBUB_${name.toUpperCase()}`;
    throw new RangeError(`${variable} must be like postgres://user:password@host/database`);
  }
  const kv = postgres !== undefined || (isDeploy && given === undefined)
    ? undefined
    : given ?? "hubbub.sqlite3";
  checkNats(nats, kv);
  return { kv, postgres, postgresListen, nats };
}

function checkNats(nats: string | undefined, kv: string | undefined): void {
  if (nats === undefined) return;
  if (kv !== undefined && !/^https?:/.test(kv)) {
    throw new RangeError(
      "HUBBUB_NATS is set, but the database belongs to this process: other machines need " +
        "HUBBUB_POSTGRES, or a KV by URL",
    );
  }
  try {
    natsServers(nats);
  } catch (error) {
    throw new RangeError(`HUBBUB_NATS: ${(error as Error).message}`);
  }
}
