import { assert, assertEquals, assertMatch } from "@std/assert";
import { createServer, Hub, jsonLogger, KvRoomLog, type Logger, Metrics } from "@hubbub/hub";
import { guardLogger } from "../../src/telemetry/logger.ts";

function write(fields?: Record<string, unknown>): string {
  const lines: string[] = [];
  jsonLogger((line) => lines.push(line))("warn", "something_happened", fields);
  assertEquals(lines.length, 1);
  return lines[0];
}

Deno.test("jsonLogger() writes one line of JSON an event", () => {
  const line = write({ port: 8000, name: "ann" });
  const { time, ...rest } = JSON.parse(line);
  assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertEquals(rest, { level: "warn", event: "something_happened", port: 8000, name: "ann" });
});

Deno.test("jsonLogger() lets nothing out that a terminal or a log reader would obey", () => {
  const name = "a\r\n\u001b[31m\u007f\u0085\u009b\u061c\u200e\u200f\u2028\u2029\u202e\u2066\u2069z";
  const line = write({ name });
  assertEquals(JSON.parse(line).name, name, "nothing is lost");
  for (const character of line) assert(character >= " " && character <= "~", line);
});

Deno.test("jsonLogger() writes what an error says, and no stack", () => {
  const { error, cause } = JSON.parse(
    write({ error: new TypeError("disk full"), cause: { inner: new RangeError("no") } }),
  );
  assertEquals(error, "TypeError: disk full");
  assertEquals(cause, { inner: "RangeError: no" });
});

Deno.test("jsonLogger() does not throw, whatever was thrown", () => {
  const circle: Record<string, unknown> = { name: "circle" };
  circle.self = circle;
  const { time: _, ...line } = JSON.parse(write({ error: circle }));
  assertEquals(line, { level: "warn", event: "something_happened", unprintable: true });
  assertEquals(JSON.parse(write({ bytes: 2n ** 64n })).bytes, "18446744073709551616");
});

Deno.test("jsonLogger() does not throw where nothing can be written, and says later what was lost", () => {
  const lines: string[] = [];
  let isFull = true;
  const logger = jsonLogger((line) => {
    if (isFull) throw new Error("No space left on device (os error 28)");
    lines.push(line);
  });
  for (let i = 0; i < 3; i++) logger("warn", "refused", { i });
  isFull = false;
  logger("info", "stopping");
  logger("info", "stopped");
  assertEquals(lines.map((line) => JSON.parse(line).not_written), [3, undefined]);
});

Deno.test("guardLogger() counts what a logger fails to write, and lets nothing out", async () => {
  const metrics = new Metrics();
  const unwritable = jsonLogger(() => {
    throw new Error("Input/output error (os error 5)");
  });
  const loggers: Logger[] = [
    () => {
      throw new Error("thrown");
    },
    () => Promise.reject(new Error("rejected")),
    unwritable,
    () => {},
  ];
  for (const logger of loggers) guardLogger(logger, metrics)("error", "failed");
  await Promise.resolve();
  await Promise.resolve();
  assertEquals(metrics.logFailures, 3);
});

Deno.test("a hub and a server go on where their logger throws, and count it", async () => {
  using kv = await Deno.openKv(":memory:");
  const logger = () => {
    throw new Error("No space left on device (os error 28)");
  };
  const hub = new Hub(new KvRoomLog(kv), { alone: true, logger });
  const refuse = () => {
    throw new Error("no answer");
  };
  await using server = createServer(hub, { logger, authorize: refuse });
  for (const status of [503, 503]) {
    const response = await server.fetch(new Request("http://localhost/rooms/lobby"));
    await response.body?.cancel();
    assertEquals(response.status, status);
  }
  assert(hub.metrics.logFailures >= 2, `${hub.metrics.logFailures}`);
});
