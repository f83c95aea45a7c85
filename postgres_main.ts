// Starts the chat server in one isolate, with the client of PostgreSQL at hand: what `deno task start`
// runs where HUBBUB_POSTGRES is set, and what the image holds.

import * as postgres from "@hubbub/hub/postgres";
import { runProgram } from "@hubbub/hub/service";

await runProgram({ postgres });
