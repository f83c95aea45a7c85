import { assertEquals, assertRejects } from "@std/assert";
import { StartError } from "../../src/service/start_error.ts";
import { ServerWorker, type ServerWorkerOptions } from "../../src/service/worker.ts";
import { within } from "../helpers/patience.ts";

/** A worker that runs some lines of JavaScript, watched closely. */
class TestWorker implements Disposable {
  readonly deaths: string[] = [];
  readonly worker: ServerWorker;

  constructor(code: string, options: Partial<ServerWorkerOptions> = {}) {
    this.worker = new ServerWorker(`data:text/javascript,${encodeURIComponent(code)}`, {
      name: "isolate 1",
      pingMs: 5,
      onDeath: (_event, reason) => void this.deaths.push(reason),
      countOthers: () => Promise.resolve([]),
      ...options,
    });
  }

  [Symbol.dispose](): void {
    this.worker.terminate();
  }
}

Deno.test("ServerWorker grants a worker more time to load than to answer", async () => {
  // The machine may be busy: all the isolates of a process load at once.
  const code = `await new Promise((resolve) => setTimeout(resolve, 500));
    self.onmessage = () => postMessage({ kind: "started", port: 7 });`;
  using test = new TestWorker(code, { pingTimeoutMs: 50, startTimeoutMs: 60_000 });
  assertEquals(await within(test.worker.start(0, 1), "the start"), 7);
});

Deno.test("ServerWorker.start() gives up a worker that never answers", async () => {
  using test = new TestWorker("await new Promise(() => {});", { startTimeoutMs: 100 });
  const error = await assertRejects(() => within(test.worker.start(0, 1), "an end"), StartError);
  assertEquals([error.event, test.deaths], ["isolate_died", []]);
});
