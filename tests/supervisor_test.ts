import { assert, assertEquals, assertFalse } from "@std/assert";
import { Metrics } from "@hubbub/hub";
import { type Supervised, Supervisor } from "../src/supervisor.ts";

const MIB = 1024 * 1024;

class FakeConnection implements Supervised {
  waitingBytes = 0;
  expiresAt = Infinity;
  readonly ends: string[] = [];

  tooSlow(): void {
    this.ends.push("tooSlow");
  }

  expire(): void {
    this.ends.push("expire");
  }
}

/** A supervisor of some connections, on clocks that the test turns. */
function supervising(count: number, budgetBytes?: number) {
  const metrics = new Metrics();
  const clock = { now: 0 };
  const now = () => clock.now;
  const supervisor = new Supervisor({ metrics, budgetBytes, now, clock: now });
  const connections = Array.from({ length: count }, () => new FakeConnection());
  for (const connection of connections) supervisor.add(connection);
  const lookFor = (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      clock.now += 1000;
      supervisor.look();
    }
  };
  return { metrics, supervisor, connections, lookFor, [Symbol.dispose]: () => supervisor.stop() };
}

Deno.test("Supervisor ends connections whose time is over", () => {
  using test = supervising(2);
  test.connections[0].expiresAt = 2_500;
  test.lookFor(2);
  assertEquals(test.connections[0].ends, []);
  test.lookFor(1);
  assertEquals(test.connections.map(({ ends }) => ends), [["expire"], []]);
});

Deno.test("Supervisor ends a connection that takes nothing for half a minute", () => {
  using test = supervising(3);
  const [stuck, slow, quick] = test.connections;
  stuck.waitingBytes = slow.waitingBytes = 1_000;
  for (let i = 0; i < 40; i++) {
    if (i % 20 === 19) slow.waitingBytes -= 1;
    quick.waitingBytes = i % 2 * 1_000;
    test.lookFor(1);
  }
  assert(stuck.ends.length > 0);
  assertEquals([slow.ends, quick.ends], [[], []]);
});

Deno.test("Supervisor lets less wait for each the more waits for all", () => {
  using test = supervising(4, 4 * MIB);
  assertEquals(test.supervisor.hardLimitBytes, MIB);
  for (const connection of test.connections) connection.waitingBytes = 0.6 * MIB;
  test.lookFor(1);
  assertEquals(test.supervisor.hardLimitBytes, 64 * 1024);
  assertFalse(test.supervisor.isMemoryShort);
  assertEquals(test.metrics.waitingBytes, 2.4 * MIB);
  assertEquals(test.connections.flatMap(({ ends }) => ends), []);
});

Deno.test("Supervisor ends those for whom most waits where too much does", () => {
  using test = supervising(6, 4 * MIB);
  for (const connection of test.connections.slice(1)) connection.waitingBytes = 0.9 * MIB;
  test.connections[0].waitingBytes = 1_000;
  test.lookFor(1);
  assert(test.supervisor.isMemoryShort);
  assertEquals(test.connections.map(({ ends }) => ends.length), [0, 1, 1, 1, 1, 1]);
  // They are gone for good.
  for (const connection of test.connections) test.supervisor.delete(connection);
  assertFalse(test.supervisor.isMemoryShort);
  assertEquals(test.supervisor.hardLimitBytes, MIB);
});

Deno.test("Supervisor notes how late it is", () => {
  using test = supervising(1);
  test.lookFor(3);
  assertEquals(test.metrics.loopDelay.counts[0], 3);
});
