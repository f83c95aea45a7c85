// Starts the chat server in several isolates of one process, which share a port and a database:
// as many as DENO_JOBS says, or as there are processors. The same file runs in the main thread,
// which watches, and in each worker, which serves.

import { describeEntry, jsonLogger, type Logger, readConfiguration } from "@hubbub/hub";
import { failToStart, logUncaught, stopOnSignal } from "@hubbub/hub/process";
import { type Service, startService } from "@hubbub/hub/service";

/** Milliseconds between two questions to each isolate whether it is still there. */
const PING_MS = 2_000;
/** Milliseconds without an answer after which an isolate counts as dead. */
const PING_TIMEOUT_MS = 20_000;

type ToIsolate = { kind: "start"; port: number } | { kind: "stop" } | { kind: "ping" };
type FromIsolate =
  | { kind: "started"; port: number }
  | { kind: "alive" }
  | { kind: "stopped" }
  | { kind: "failed"; event: string; reason: string };

async function watch(logger: Logger): Promise<void> {
  const configuration = readConfiguration((name) => Deno.env.get(name));
  const { host, kv } = configuration;
  const count = countIsolates();
  const isolates: Isolate[] = [];
  const end = stopOnSignal(logger, async () => {
    await Promise.all(isolates.map((isolate) => isolate.stop()));
  });
  let { port } = configuration;
  for (let i = 0; i < count; i++) {
    const isolate = new Isolate(`isolate ${i + 1}`, (event, reason) => {
      logger("error", event, { isolate: isolate.name, error: reason });
      void end(1);
    });
    isolates.push(isolate);
    // The first one finds a port where any will do; the others share it.
    port = await isolate.start(port);
  }
  const entry = describeEntry(configuration);
  logger("info", "started", { url: `http://${host}:${port}/`, isolates: count, kv, entry });
}

function countIsolates(): number {
  const text = Deno.env.get("DENO_JOBS")?.trim();
  if (!text) return navigator.hardwareConcurrency;
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new RangeError(`DENO_JOBS must be a whole number from 1 to 999, not "${text}"`);
}

/** An isolate that serves, as the main thread sees it. */
class Isolate {
  readonly name: string;
  readonly #worker: Worker;
  readonly #onDeath: (event: string, reason: string) => void;
  readonly #started = Promise.withResolvers<number>();
  readonly #stopped = Promise.withResolvers<void>();
  #heardAt = performance.now();

  constructor(name: string, onDeath: (event: string, reason: string) => void) {
    this.name = name;
    this.#onDeath = onDeath;
    this.#worker = new Worker(import.meta.url, { type: "module", name });
    this.#worker.onmessage = ({ data }) => this.#heard(data as FromIsolate);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#died("isolate_died", event.message);
    };
    setInterval(() => this.#ping(), PING_MS);
  }

  start(port: number): Promise<number> {
    this.#tell({ kind: "start", port });
    return this.#started.promise;
  }

  async stop(): Promise<void> {
    this.#tell({ kind: "stop" });
    await this.#stopped.promise;
  }

  #tell(message: ToIsolate): void {
    this.#worker.postMessage(message);
  }

  #ping(): void {
    const silence = performance.now() - this.#heardAt;
    if (silence > PING_TIMEOUT_MS) {
      this.#died("isolate_died", `It has not answered for ${Math.round(silence / 1000)} s`);
    } else this.#tell({ kind: "ping" });
  }

  #heard(message: FromIsolate): void {
    this.#heardAt = performance.now();
    switch (message.kind) {
      case "started":
        return this.#started.resolve(message.port);
      case "stopped":
        return this.#stopped.resolve();
      case "failed":
        return this.#died(message.event, message.reason);
      case "alive":
        return;
    }
  }

  #died(event: string, reason: string): void {
    this.#stopped.resolve();
    this.#onDeath(event, reason);
  }
}

/** What an isolate does. */
function serve(): void {
  const logger = jsonLogger();
  logUncaught(logger);
  const tell = (message: FromIsolate) => postMessage(message);
  let service: Service | undefined;
  const start = async (port: number) => {
    try {
      const configuration = readConfiguration((name) => Deno.env.get(name));
      const onListenerClosed = () => {
        tell({ kind: "failed", event: "listener_closed", reason: "The listener closed by itself" });
      };
      const options = { logger, parallel: true, onListenerClosed };
      service = await startService({ ...configuration, port }, options);
      tell({ kind: "started", port: service.address.port });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      tell({ kind: "failed", event: "isolate_failed", reason });
    }
  };
  addEventListener("message", async (event) => {
    const message = (event as MessageEvent<ToIsolate>).data;
    switch (message.kind) {
      case "start":
        return await start(message.port);
      case "stop":
        await service?.stop();
        return tell({ kind: "stopped" });
      case "ping":
        return tell({ kind: "alive" });
    }
  });
}

declare const WorkerGlobalScope: unknown;
declare function postMessage(message: FromIsolate): void;

if (typeof WorkerGlobalScope === "undefined") {
  const logger = jsonLogger();
  try {
    await watch(logger);
  } catch (error) {
    failToStart(logger, error);
  }
} else serve();
