// Starts the chat server in several isolates of one process, which share a port and a database:
// as many as DENO_JOBS says, or as there are processors. The same file runs in the main thread,
// which watches, and in each worker, which serves.

import { isWorker, runProgram, serveAsWorker } from "@hubbub/hub/service";

if (isWorker()) serveAsWorker();
else await runProgram({ workers: import.meta.url });
