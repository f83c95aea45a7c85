// Starts the chat server in one isolate.

import { jsonLogger } from "@hubbub/hub";
import { describeAccess, readConfiguration } from "@hubbub/hub/service";
import { failToStart, logUncaught, stopOnSignal, urlOf } from "@hubbub/hub/service";
import { startService } from "@hubbub/hub/service";

const logger = jsonLogger();
logUncaught(logger);

try {
  const configuration = readConfiguration((name) => Deno.env.get(name));
  const onListenerClosed = () => {
    logger("error", "listener_closed");
    void end(1);
  };
  const service = await startService(configuration, { logger, onListenerClosed });
  const end = stopOnSignal(logger, () => service.stop());
  const kv = configuration.kv ?? "assigned";
  const entry = describeAccess(configuration);
  logger("info", "started", { url: urlOf(service.address), isolates: 1, kv, entry });
} catch (error) {
  failToStart(logger, error);
}
