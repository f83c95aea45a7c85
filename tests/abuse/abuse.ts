// Attackers beside members that behave, on a hub that is reached directly:
//
//   deno task abuse [--seconds 120] [--minutes 10] [--only NAME,NAME] [--addresses A,B,C,…]
//     [--profile DIRECTORY]
//
// Each class of attack alone for so many seconds, then all that an open hub bears for so many
// minutes; 0 leaves either out. Fails where a member misses a message, gets one twice or out of
// order, or waits ten times as long for an acknowledgement as one in a hub that nobody attacks; where
// somebody from another address is not let in; where the hub takes more than 400 MB; and where it is
// not well in the end. With --profile, what the processor did in the attacked hub is written there.

import { parseArgs } from "node:util";
import { chooseAddresses } from "./addresses.ts";
import { ATTACKS } from "./attacks/mod.ts";
import { runTrial } from "./trial.ts";

const { values } = parseArgs({
  args: [...Deno.args],
  options: {
    seconds: { type: "string", default: "120" },
    minutes: { type: "string", default: "10" },
    only: { type: "string", default: "" },
    addresses: { type: "string", default: "" },
    profile: { type: "string", default: "" },
  },
});
const [seconds, minutes] = [Number(values.seconds), Number(values.minutes)];
if (!(seconds >= 0 && minutes >= 0)) throw new RangeError("--seconds and --minutes are numbers");
const only = listOf(values.only);
const profile = values.profile || undefined;
for (const name of only) {
  if (!ATTACKS.has(name)) throw new RangeError(`There is no attack "${name}"`);
}
const chosen = [...ATTACKS].filter(([name]) => only.length === 0 || only.includes(name));
const addresses = chooseAddresses(listOf(values.addresses));
console.log("addresses", JSON.stringify(addresses));

const problems: string[] = [];
if (seconds > 0) {
  for (const [name, { entry }] of chosen) {
    await attempt(name, { attacks: [name], entry, seconds, addresses, profile });
  }
}
if (minutes > 0) {
  // Of an open hub more can be had; descriptors that are gone keep out everybody.
  const attacks = chosen.filter(([, { needsTokens, takesDescriptors, isUnseen }]) => {
    return !needsTokens && !takesDescriptors && !isUnseen;
  }).map(([name]) => name);
  await attempt("all together, open", {
    attacks,
    entry: "open",
    seconds: minutes * 60,
    addresses,
    profile,
  });
}
console.log(problems.length === 0 ? "ok" : `FAILED: ${problems.length} problems`);
Deno.exit(problems.length === 0 ? 0 : 1);

async function attempt(name: string, options: Parameters<typeof runTrial>[0]): Promise<void> {
  console.log(`${name}: ${options.seconds} s`);
  const found = await runTrial(options);
  for (const problem of found.slice(0, 12)) console.log(`    PROBLEM ${problem}`);
  if (found.length > 12) console.log(`    PROBLEM and ${found.length - 12} more`);
  problems.push(...found);
}

function listOf(text: string): string[] {
  return text.split(",").map((part) => part.trim()).filter((part) => part !== "");
}
