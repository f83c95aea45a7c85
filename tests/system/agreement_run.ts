// Runs the model of agreement.ts for as long as one likes:
//   deno task agreement [--seed N] [--runs N] [--deliveries N] [--restores N]
// from a seed on, so many runs, or until so many messages were delivered. Ends with 1 at the first
// run in which anything is wrong, and says which seed repeats it. The database is put back under its
// hubs, so often a run at most as --restores says: twice by default.

import { parseArgs } from "node:util";
import { type Account, Agreement } from "../helpers/agreement.ts";
import { Random } from "../helpers/random.ts";

/** How often the database is put back in a run at most, where nothing else is said. */
const RESTORES = 2;
/** Runs at the same time: they mostly wait. */
const AT_ONCE = 6;

/** Runs one seed over a database of its own. */
export async function runSeed(seed: number, restores = RESTORES): Promise<Account> {
  const folder = await Deno.makeTempDir();
  try {
    const random = new Random(seed ^ 0x5eed);
    const scale = {
      hubs: 1 + random.below(4),
      rooms: 1 + random.below(3),
      members: 4 + random.below(17),
      steps: 150 + random.below(350),
      restores,
    };
    return await new Agreement(seed, scale, folder).run();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Runs seeds until there were enough runs, or deliveries.
 *
 * @returns The accounts; the last one has violations where anything is wrong.
 */
export async function runSeeds(
  first: number,
  enough: { readonly runs?: number; readonly deliveries?: number; readonly restores?: number },
  onAccount: (account: Account) => void = () => {},
): Promise<Account[]> {
  const accounts: Account[] = [];
  let next = first;
  let delivered = 0;
  let hasFailed = false;
  const worker = async () => {
    while (
      !hasFailed && next - first < (enough.runs ?? Infinity) &&
      delivered < (enough.deliveries ?? Infinity)
    ) {
      const account = await runSeed(next++, enough.restores);
      accounts.push(account);
      delivered += account.delivered;
      if (account.violations.length > 0) hasFailed = true;
      onAccount(account);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return accounts;
}

/** Adds accounts up, in a line. */
export function summary(accounts: readonly Account[]): string {
  const sum = (key: keyof Omit<Account, "violations" | "seed">) =>
    accounts.reduce((total, account) => total + account[key], 0);
  return `${accounts.length} runs: ${sum("stored")} messages stored, ${
    sum("delivered")
  } delivered, ` +
    `${sum("dropped")} packets dropped, ${sum("thrown")} publishes thrown, ${
      sum("killed")
    } hubs killed, ${sum("resumed")} resumes, ` +
    `${sum("resent")} messages resent, ${sum("struck")} repeats struck, ` +
    `${sum("lost")} answers lost, ${sum("twice")} commits written twice, ` +
    `${sum("restored")} restores under running hubs, ${sum("takenBack")} messages taken back, ` +
    `${sum("checked")} stays checked`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      runs: { type: "string" },
      deliveries: { type: "string" },
      restores: { type: "string" },
    },
  });
  const first = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  const deliveries = values.deliveries === undefined ? undefined : Number(values.deliveries);
  const enough = runs === undefined && deliveries === undefined
    ? { runs: 100 }
    : { runs, deliveries };
  const restores = Number(values.restores ?? RESTORES);
  const accounts = await runSeeds(first, { ...enough, restores }, (account) => {
    for (const violation of account.violations.slice(0, 12)) {
      console.error(`seed ${account.seed}: ${violation}`);
    }
  });
  console.log(`from seed ${first}, ${summary(accounts)}`);
  Deno.exit(accounts.some(({ violations }) => violations.length > 0) ? 1 : 0);
}
