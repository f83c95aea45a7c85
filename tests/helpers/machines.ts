import { HubProcess } from "./hub_process.ts";

/** Arguments of deno for a server that has no file. */
export const MACHINE_ARGS: readonly string[] = [
  "run",
  "--no-prompt",
  "--cached-only",
  "--lock=machines.lock",
  "--allow-net",
  "--allow-env=PORT,HOST,HUBBUB_*,DENO_*,PGAPPNAME",
  "machines_main.ts",
];

/** What several servers share. */
export interface Shared {
  /** The address of a PostgreSQL. */
  readonly postgres: string;
  /** The address of a NATS. @default {undefined} notifications of the PostgreSQL */
  readonly nats?: string;
}

/**
 * Starts a server in a process of its own over a database that others use too.
 *
 * @param shared What they share.
 * @param environment More of its configuration.
 */
export function startMachine(
  shared: Shared,
  environment: Readonly<Record<string, string>> = {},
): Promise<HubProcess> {
  const nats: Record<string, string> = shared.nats === undefined
    ? {}
    : { HUBBUB_NATS: shared.nats };
  return HubProcess.start(
    { HUBBUB_POSTGRES: shared.postgres, ...nats, ...environment },
    MACHINE_ARGS,
  );
}
