import { assert, assertEquals, assertFalse } from "@std/assert";
import { Metrics } from "@hubbub/hub";
import {
  ConnectionMonitor,
  type MonitoredConnection,
} from "../../src/connection/connection_monitor.ts";

const MIB = 1024 * 1024;

class FakeConnection implements MonitoredConnection {
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
  const monitor = new ConnectionMonitor({ metrics, budgetBytes, now, clock: now });
  const connections = Array.from({ length: count }, () => new FakeConnection());
  for (const connection of connections) monitor.add(connection);
  const lookFor = (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      clock.now += 1000;
      monitor.look();
    }
  };
  return { metrics, monitor, connections, lookFor, [Symbol.dispose]: () => monitor.stop() };
}

Deno.test("ConnectionMonitor ends connections whose time is over", () => {
  using test = supervising(2);
  test.connections[0].expiresAt = 2_500;
  test.lookFor(2);
  assertEquals(test.connections[0].ends, []);
  test.lookFor(1);
  assertEquals(test.connections.map(({ ends }) => ends), [["expire"], []]);
});

Deno.test("ConnectionMonitor ends a connection that takes nothing for half a minute", () => {
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

Deno.test("ConnectionMonitor lets less wait for each the more waits for all", () => {
  using test = supervising(4, 4 * MIB);
  assertEquals(test.monitor.hardLimitBytes, MIB);
  for (const connection of test.connections) connection.waitingBytes = 0.6 * MIB;
  test.lookFor(1);
  assertEquals(test.monitor.hardLimitBytes, 64 * 1024);
  assertFalse(test.monitor.isMemoryShort);
  assertEquals(test.monitor.waitingBytes, 2.4 * MIB);
  assertEquals(test.connections.flatMap(({ ends }) => ends), []);
});

Deno.test("ConnectionMonitor ends those for whom most waits where too much does", () => {
  using test = supervising(6, 4 * MIB);
  for (const connection of test.connections.slice(1)) connection.waitingBytes = 0.9 * MIB;
  test.connections[0].waitingBytes = 1_000;
  test.lookFor(1);
  assert(test.monitor.isMemoryShort);
  assertEquals(test.connections.map(({ ends }) => ends.length), [0, 1, 1, 1, 1, 1]);
  // They are gone for good.
  for (const connection of test.connections) test.monitor.delete(connection);
  assertFalse(test.monitor.isMemoryShort);
  assertEquals(test.monitor.hardLimitBytes, MIB);
});

Deno.test("ConnectionMonitor notes how late it is", () => {
  using test = supervising(1);
  test.lookFor(3);
  assertEquals(test.metrics.loopDelay.counts[0], 3);
});
