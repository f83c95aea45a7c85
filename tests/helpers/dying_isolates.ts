// Two isolates as parallel.ts starts them. When there is a file of the name that DEATH_FILE holds,
// the second one comes to the end that DEATH names. The main thread asks them more often than in
// real life, so that a test need not wait for long.

import { jsonLogger } from "@hubbub/hub";
import { readConfiguration } from "@hubbub/hub/service";
import { isWorker, serveAsWorker, startWorkers } from "@hubbub/hub/service";
import { failToStart } from "@hubbub/hub/service";

const ENDS: Readonly<Record<string, (later: (action: () => void) => void) => void>> = {
  throwing() {
    throw new Error("a module that throws");
  },
  closing(later) {
    later(() => self.close());
  },
  exiting(later) {
    later(() => Deno.exit(0));
  },
  never() {},
  hanging(later) {
    later(() => {
      for (;;);
    });
  },
  "closing its listener"(later) {
    const serve = Deno.serve.bind(Deno);
    Deno.serve = ((options: Deno.ServeTcpOptions, handler: Deno.ServeHandler) => {
      const server = serve(options, handler);
      later(() => void server.shutdown());
      return server;
    }) as typeof Deno.serve;
  },
  "refusing to listen"() {
    Deno.serve = () => {
      throw new Error("no more sockets");
    };
  },
  // Which is not the end.
  "failing in a timer"(later) {
    later(() => {
      throw new Error("nobody caught this");
    });
  },
};

if (isWorker()) {
  if (self.name === "isolate 2") {
    ENDS[Deno.env.get("DEATH") ?? ""](whenDue);
  }
  serveAsWorker();
} else {
  const logger = jsonLogger();
  try {
    const configuration = readConfiguration((name) => Deno.env.get(name));
    const options = { configuration, count: 2, logger, pingMs: 100, pingTimeoutMs: 2_000 };
    const port = await startWorkers(import.meta.url, options);
    logger("info", "started", { url: `http://127.0.0.1:${port}/` });
  } catch (error) {
    failToStart(logger, error);
  }
}

function whenDue(action: () => void): void {
  const timer = setInterval(() => {
    try {
      Deno.statSync(Deno.env.get("DEATH_FILE") ?? "");
    } catch {
      return;
    }
    clearInterval(timer);
    action();
  }, 20);
}
