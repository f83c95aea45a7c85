import { assert, assertEquals } from "@std/assert";
import { RefusalDelay } from "../../src/http/refusal_delay.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { serveAlone } from "../helpers/test_server.ts";

Deno.test("RefusalDelay.of() delays those who do not stop, by address, and lets all go in the end", async () => {
  let now = 0;
  const delay = new RefusalDelay({ now: () => now });
  for (let i = 0; i < 50; i++) assertEquals(delay.of("192.0.2.1"), undefined);
  const [first, second] = [delay.of("192.0.2.1"), delay.of("192.0.2.1")];
  assert(first instanceof Promise && second instanceof Promise);
  assertEquals([delay.of("192.0.2.2"), delay.of(undefined)], [undefined, undefined]);
  assertEquals(delay.of("192.0.2.1", () => false), "full", "too large to be kept");
  assertEquals(delay.waiting, 2);
  now = 1_000;
  await Promise.all([first, second]);
  assertEquals(delay.waiting, 0);
  now = 1_000 + 50_000 / 5;
  assertEquals(delay.of("192.0.2.1"), undefined, "forgiven");
  while (!delay.of("192.0.2.1"));
  assertEquals(delay.waiting, 1);
  delay.stop();
  assertEquals([delay.waiting, delay.of("192.0.2.1")], [0, undefined]);
});

Deno.test("RefusalDelay keeps so many, and answers few at a time, in rounds by address", async () => {
  let now = 0;
  const delay = new RefusalDelay({ now: () => now });
  const gone: string[] = [];
  const refuse = (address: string) => {
    const waiting = delay.of(address);
    if (waiting instanceof Promise) void waiting.then(() => gone.push(address));
    return waiting;
  };
  let kept = 0;
  for (; refuse("192.0.2.1") !== "full"; kept++);
  assertEquals(kept, 50 + 3_000);
  while (!refuse("192.0.2.2"));
  now = 1_000;
  await eventually(() => gone.length > 0, () => "nobody was answered");
  assert(gone.length <= 8, `${gone.length} at once`);
  assert(gone.slice(0, 2).includes("192.0.2.2"), "the other one does not wait behind all");
  delay.stop();
});

Deno.test(
  "a connection that sends on thousands of requests is refused a few times a second",
  needs("net"),
  async () => {
    await using server = await serveAlone({ requestsPerSecondPerAddress: 0.1 });
    const { metrics } = server.hub;
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const one = "GET /rooms/lobby HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const reading = (async () => {
      const buffer = new Uint8Array(65_536);
      try {
        while (await connection.read(buffer) !== null);
      } catch {
        // The test closes it.
      }
    })();
    await connection.write(new TextEncoder().encode(one.repeat(600)));
    const refused = () => metrics.rejected.get("rate_limited") ?? 0;
    await eventually(() => refused() >= 51, () => `51 refusals, not ${refused()}`);
    const before = refused();
    const startedAt = performance.now();
    await eventually(
      () => refused() >= before + 20,
      () => `20 more than ${before}, not ${refused()}`,
    );
    // Five a second are answered at once, and then one a second later.
    assert(performance.now() - startedAt >= 1_000, "without a delay");
    connection.close();
    await reading;
  },
);

Deno.test(
  "a request that is refused and cannot be kept ends its connection",
  needs("net"),
  async () => {
    await using server = await serveAlone({ requestsPerSecondPerAddress: 0.1 });
    const { metrics } = server.hub;
    const one = "GET /rooms/lobby HTTP/1.1\r\nhost: localhost\r\n";
    const long = `${one}x-long: ${"x".repeat(9_000)}\r\n`;
    for (let i = 0; i < 52; i++) {
      const response = await fetch(`${server.url}/rooms/lobby`);
      await response.body?.cancel();
    }
    const before = metrics.rejected.get("rate_limited") ?? 0;
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await connection.write(new TextEncoder().encode(`${long}\r\n`.repeat(50)));
    const buffer = new Uint8Array(65_536);
    let hasEnded = false;
    try {
      while (await connection.read(buffer) !== null);
      hasEnded = true;
    } catch {
      hasEnded = true;
    }
    assert(hasEnded);
    // Some are due to be refused at once by then.
    const refused = (metrics.rejected.get("rate_limited") ?? 0) - before;
    assert(refused <= 20, `${refused} of 50 were answered`);
  },
);
