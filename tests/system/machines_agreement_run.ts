// Runs the model of agreement.ts over a real PostgreSQL and a real NATS, whose connections are cut and
// which are killed and started again meanwhile:
//   deno task agreement:machines [--seed N] [--runs N]
// Every other run has no NATS. Ends with 1 at the first run in which anything is wrong.

import { parseArgs } from "node:util";
import { type Account, Agreement } from "../helpers/agreement.ts";
import { type Deeds, RealServers } from "../helpers/real_servers.ts";
import { Random } from "../helpers/random.ts";
import { summary } from "./agreement_run.ts";

/**
 * Runs seeds, one after the other.
 *
 * @returns The accounts, and what was done to the servers.
 */
export async function runOverServers(
  first: number,
  runs: number,
): Promise<{ accounts: Account[]; deeds: Deeds }> {
  await using servers = await RealServers.start();
  const accounts: Account[] = [];
  for (let seed = first; seed < first + runs; seed++) {
    const random = new Random(seed ^ 0x5eed);
    const scale = {
      hubs: 2 + random.below(2),
      rooms: 1 + random.below(3),
      members: 4 + random.below(12),
      steps: 150 + random.below(250),
    };
    const ground = await servers.ground({ nats: seed % 2 === 0 });
    const account = await new Agreement(seed, scale, ground).run();
    accounts.push(account);
    if (account.violations.length > 0) break;
  }
  return { accounts, deeds: servers.deeds };
}

/** What was done to servers, in a line. */
export function described(deeds: Deeds): string {
  return [...deeds].map(([what, times]) => `${what}: ${times}`).join(", ");
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seed: { type: "string" }, runs: { type: "string" } } });
  const first = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  const { accounts, deeds } = await runOverServers(first, Number(values.runs ?? 20));
  for (const { seed, violations } of accounts) {
    for (const violation of violations.slice(0, 12)) console.error(`seed ${seed}: ${violation}`);
  }
  console.log(`from seed ${first}, ${summary(accounts)}; ${described(deeds)}`);
  Deno.exit(accounts.some(({ violations }) => violations.length > 0) ? 1 : 0);
}
