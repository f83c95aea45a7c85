// Prints the file that a start runs, with its lock and its arguments: that with the client of PostgreSQL
// where it is needed, so that nobody else downloads it. deno run -A tools/entry.ts main.ts

import { descriptorLimit } from "./descriptors.ts";

const [file] = Deno.args;
const entry = Deno.env.get("HUBBUB_POSTGRES") ? `--lock=postgres.lock postgres_${file}` : file;
console.log(`${entry} --descriptors=${descriptorLimit()}`);
