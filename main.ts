// Starts the chat server: reads the configuration, opens the database, serves, and stops in order.

import { createServer, Hub, jsonLogger, readConfiguration, RoomLog } from "@hubbub/hub";
import type { Configuration } from "@hubbub/hub";

/** Milliseconds after a signal when the process ends, whatever is stuck: Deno Deploy kills at 5 s. */
const STOP_MS = 4_000;
/** Milliseconds that answers have to go out at the end. */
const FLUSH_MS = 300;

const logger = jsonLogger();

// Nothing is expected to get here; if something does, one log line must not cost everybody's chat.
for (const type of ["error", "unhandledrejection"]) {
  addEventListener(type, (event) => {
    event.preventDefault();
    const { error, reason } = event as Event & { error?: unknown; reason?: unknown };
    logger("error", "uncaught", { error: error ?? reason });
  });
}

const configuration = configure();
const kv = await open(configuration.kv);
const hub = new Hub(new RoomLog(kv, { retentionMs: configuration.retentionMs }), {
  logger,
  limits: {
    text_max_bytes: configuration.maxTextBytes,
    messages_per_second: configuration.messagesPerSecond,
    message_burst: Math.ceil(2 * configuration.messagesPerSecond),
  },
});
const server = createServer(hub, { logger, maxConnections: configuration.maxConnections });
const http = listen();

let isStopping = false;
Deno.addSignalListener("SIGINT", stop);
if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);

// Without a listener the process would look healthy and answer nobody.
http.finished.then(() => {
  if (!isStopping) giveUp("listener_closed", new Error("The listener closed by itself"));
});

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  setTimeout(() => {
    logger("warn", "stopped", { late: true });
    Deno.exit(0);
  }, STOP_MS);
  logger("info", "stopping");
  await server.drain();
  // Lets the last answers out. By itself it would wait for whoever is stuck.
  await Promise.race([
    http.shutdown(),
    new Promise((resolve) => setTimeout(resolve, FLUSH_MS)),
  ]);
  kv.close();
  logger("info", "stopped");
  Deno.exit(0);
}

function configure(): Configuration {
  try {
    return readConfiguration((name) => Deno.env.get(name));
  } catch (error) {
    giveUp("bad_configuration", error);
  }
}

async function open(path: string | undefined): Promise<Deno.Kv> {
  try {
    return await Deno.openKv(path);
  } catch (error) {
    giveUp("kv_failed", error, { kv: path });
  }
}

function listen(): Deno.HttpServer<Deno.NetAddr> {
  const { host: hostname, port } = configuration;
  const onListen = (address: Deno.NetAddr) => {
    const url = `http://${address.hostname}:${address.port}/`;
    const entry = "open: whoever connects may use any name";
    logger("info", "started", { url, kv: configuration.kv ?? "assigned", entry });
  };
  try {
    return Deno.serve({ hostname, port, onListen }, server.fetch);
  } catch (error) {
    giveUp("listen_failed", error, { host: hostname, port });
  }
}

function giveUp(event: string, error: unknown, fields: Record<string, unknown> = {}): never {
  logger("error", event, { ...fields, error });
  Deno.exit(1);
}
