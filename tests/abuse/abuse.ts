// Attackers beside members that behave, on a hub that is reached directly:
//
//   deno task abuse [--seconds 120] [--minutes 10] [--only NAME,NAME] [--addresses A,B,C,…]
//     [--window 60] [--profile DIRECTORY]
//
// Each class of attack alone for so many seconds, then all that an open hub bears for so many
// minutes; 0 leaves either out. In the end stands a table with the worst window of each. The first
// address is an attacker's, the second the members', the third a stranger's, further ones attackers'
// again: "ip addr add 10.99.0.1/32 dev lo" and so on makes some. Fails where a member misses a message, gets one twice or out of
// order, or waits ten times as long for an acknowledgement as one in a hub that nobody attacks; where
// somebody from another address is not let in; where the hub takes more than 400 MB; and where it is
// not well in the end. With --profile, what the processor did in the attacked hub is written there.

import { parseArgs } from "node:util";
import { chooseAddresses } from "./addresses.ts";
import { ATTACKS } from "./attacks/mod.ts";
import { tableOf } from "./table.ts";
import { runTrial, type TrialOptions, type Verdict } from "./trial.ts";

const { values } = parseArgs({
  args: [...Deno.args],
  options: {
    seconds: { type: "string", default: "120" },
    minutes: { type: "string", default: "10" },
    only: { type: "string", default: "" },
    addresses: { type: "string", default: "" },
    window: { type: "string", default: "60" },
    profile: { type: "string", default: "" },
  },
});
const [seconds, minutes] = [Number(values.seconds), Number(values.minutes)];
if (!(seconds >= 0 && minutes >= 0)) throw new RangeError("--seconds and --minutes are numbers");
const windowSeconds = Number(values.window);
const only = listOf(values.only);
const profile = values.profile || undefined;
for (const name of only) {
  if (!ATTACKS.has(name)) throw new RangeError(`There is no attack "${name}"`);
}
const chosen = [...ATTACKS].filter(([name]) => only.length === 0 || only.includes(name));
const addresses = chooseAddresses(listOf(values.addresses));
console.log("addresses", JSON.stringify(addresses));

const verdicts: Verdict[] = [];
if (seconds > 0) {
  for (const [name, { entry }] of chosen) await attempt(name, { attacks: [name], entry, seconds });
}
if (minutes > 0) {
  // Of an open hub more can be had; descriptors that are gone keep out everybody.
  const attacks = chosen.filter(([, { needsTokens, takesDescriptors, isUnseen }]) => {
    return !needsTokens && !takesDescriptors && !isUnseen;
  }).map(([name]) => name);
  const name = `all from ${addresses.attackers.length}`;
  await attempt(name, { attacks, entry: "open", seconds: minutes * 60 });
}
for (const line of tableOf(verdicts)) console.log(line);
const failed = verdicts.filter(({ problems }) => problems.length > 0).length;
console.log(failed === 0 ? "ok" : `FAILED: ${failed} of ${verdicts.length}`);
Deno.exit(failed === 0 ? 0 : 1);

async function attempt(
  name: string,
  options: Pick<TrialOptions, "attacks" | "entry" | "seconds">,
): Promise<void> {
  console.log(`${name}: ${options.seconds} s`);
  const verdict = await runTrial({ ...options, name, windowSeconds, addresses, profile });
  const { problems } = verdict;
  for (const problem of problems.slice(0, 12)) console.log(`    PROBLEM ${problem}`);
  if (problems.length > 12) console.log(`    PROBLEM and ${problems.length - 12} more`);
  verdicts.push(verdict);
}

function listOf(text: string): string[] {
  return text.split(",").map((part) => part.trim()).filter((part) => part !== "");
}
