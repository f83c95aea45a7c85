// Prints the file that a start runs, with its lock and its arguments: that with the clients of
// PostgreSQL and NATS where one is needed, so that nobody else downloads them.
// deno run -A tools/entry.ts main.ts

import { descriptorLimit } from "./descriptors.ts";

const [file] = Deno.args;
const isOneOfSeveral = ["HUBBUB_POSTGRES", "HUBBUB_NATS"].some((name) => Deno.env.get(name));
const entry = isOneOfSeveral ? `--lock=machines.lock machines_${file}` : file;
console.log(`${entry} --descriptors=${descriptorLimit()}`);
