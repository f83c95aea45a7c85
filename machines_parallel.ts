// Starts the chat server in several isolates of one process as parallel.ts does, with the clients of
// PostgreSQL and NATS at hand.

import * as nats from "@hubbub/hub/nats";
import * as postgres from "@hubbub/hub/postgres";
import { isWorker, runProgram, serveAsWorker } from "@hubbub/hub/service";

if (isWorker()) serveAsWorker({ nats, postgres });
else await runProgram({ workers: import.meta.url, nats, postgres });
