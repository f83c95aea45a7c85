// Starts the chat server in several isolates of one process as parallel.ts does, over a PostgreSQL.

import * as postgres from "@hubbub/hub/postgres";
import { isWorker, runProgram, serveAsWorker } from "@hubbub/hub/service";

if (isWorker()) serveAsWorker({ postgres });
else await runProgram({ workers: import.meta.url, postgres });
