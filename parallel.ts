// Starts the chat server in several isolates of one process, which share a port and a database:
// as many as DENO_JOBS says, or as there are processors. The same file runs in the main thread,
// which watches, and in each worker, which serves.

import { describeEntry, jsonLogger, readConfiguration } from "@hubbub/hub";
import { countIsolates, isIsolate, serveAsIsolate, startIsolates } from "@hubbub/hub/isolates";
import { failToStart } from "@hubbub/hub/process";

if (isIsolate()) serveAsIsolate();
else {
  const logger = jsonLogger();
  try {
    const configuration = readConfiguration((name) => Deno.env.get(name));
    const { host, kv } = configuration;
    const isolates = countIsolates(Deno.env.get("DENO_JOBS"));
    const port = await startIsolates(import.meta.url, { configuration, count: isolates, logger });
    const entry = describeEntry(configuration);
    logger("info", "started", { url: `http://${host}:${port}/`, isolates, kv, entry });
  } catch (error) {
    failToStart(logger, error);
  }
}
