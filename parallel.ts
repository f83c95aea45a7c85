// Starts the chat server in several isolates of one process, which share a port and a database:
// as many as DENO_JOBS says, or as there are processors. The same file runs in the main thread,
// which watches, and in each worker, which serves.

import { jsonLogger } from "@hubbub/hub";
import { describeAccess, readConfiguration } from "@hubbub/hub/service";
import { isWorker, serveAsWorker, startWorkers, workerCount } from "@hubbub/hub/service";
import { failToStart, urlOf } from "@hubbub/hub/service";

if (isWorker()) serveAsWorker();
else {
  const logger = jsonLogger();
  try {
    const configuration = readConfiguration((name) => Deno.env.get(name));
    const { host: hostname, kv } = configuration;
    const isolates = workerCount(Deno.env.get("DENO_JOBS"));
    const port = await startWorkers(import.meta.url, { configuration, count: isolates, logger });
    const entry = describeAccess(configuration);
    logger("info", "started", { url: urlOf({ hostname, port }), isolates, kv, entry });
  } catch (error) {
    failToStart(logger, error);
  }
}
