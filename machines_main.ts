// Starts the chat server in one isolate, with the clients of PostgreSQL and NATS at hand: what
// `deno task start` runs where HUBBUB_POSTGRES or HUBBUB_NATS is set, and what the image holds.

import * as nats from "@hubbub/hub/nats";
import * as postgres from "@hubbub/hub/postgres";
import { runProgram } from "@hubbub/hub/service";

await runProgram({ nats, postgres });
