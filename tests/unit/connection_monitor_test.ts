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
  isOpening = false;
  readonly ends: string[] = [];

  constructor(readonly address?: string) {}

  tooSlow(): void {
    this.ends.push("tooSlow");
  }

  expire(): void {
    this.ends.push("expire");
  }

  neverOpened(): void {
    this.ends.push("neverOpened");
  }
}

/** A monitor of some connections, on clocks that the test turns. */
function supervising(count: number, budgetBytes?: number, addresses: string[] = []) {
  const metrics = new Metrics();
  const clock = { now: 0 };
  const now = () => clock.now;
  const monitor = new ConnectionMonitor({ metrics, budgetBytes, now, clock: now });
  const connections = Array.from({ length: count }, (_, i) => new FakeConnection(addresses[i]));
  for (const connection of connections) monitor.add(connection);
  const checkFor = (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      clock.now += 1000;
      monitor.check();
    }
  };
  return { metrics, monitor, connections, checkFor, [Symbol.dispose]: () => monitor.stop() };
}

Deno.test("ConnectionMonitor ends connections whose time is over", () => {
  using test = supervising(2);
  test.connections[0].expiresAt = 2_500;
  test.checkFor(2);
  assertEquals(test.connections[0].ends, []);
  test.checkFor(1);
  assertEquals(test.connections.map(({ ends }) => ends), [["expire"], []]);
});

Deno.test("ConnectionMonitor ends a connection that takes nothing for half a minute", () => {
  using test = supervising(3);
  const [stuck, slow, quick] = test.connections;
  stuck.waitingBytes = slow.waitingBytes = 1_000;
  for (let i = 0; i < 40; i++) {
    if (i % 20 === 19) slow.waitingBytes -= 1;
    quick.waitingBytes = i % 2 * 1_000;
    test.checkFor(1);
  }
  assert(stuck.ends.length > 0);
  assertEquals([slow.ends, quick.ends], [[], []]);
});

Deno.test("ConnectionMonitor lets less wait for those whose address has its share", () => {
  using test = supervising(4, 4 * MIB, ["a", "a", "a", "b"]);
  const [one, two, three, other] = test.connections;
  assertEquals(test.monitor.hardLimitOf(one), MIB);
  for (const connection of [one, two, three]) connection.waitingBytes = 0.8 * MIB;
  other.waitingBytes = 1_000;
  test.checkFor(1);
  assertEquals([one, other].map((each) => test.monitor.hardLimitOf(each)), [64 * 1024, MIB]);
  assertEquals(["a", "b", "c", undefined].map((each) => test.monitor.isFull(each)), [
    true,
    false,
    false,
    false,
  ]);
  assertEquals(test.connections.map(({ ends }) => ends.length), [1, 1, 1, 0]);
  // What is closed and not gone counts on; what is gone does not.
  for (const connection of [one, two, three]) test.monitor.delete(connection);
  assertFalse(test.monitor.isFull("a"));
  test.checkFor(1);
  assertEquals(Math.round(test.monitor.waitingBytes), 1_000);
});

Deno.test("ConnectionMonitor keeps something for newcomers, however many take their share", () => {
  const addresses = Array.from({ length: 50 }, (_, i) => `192.0.2.${i}`);
  using test = supervising(50, 4 * MIB, addresses);
  for (const connection of test.connections) {
    while (!test.monitor.isFull(connection.address)) {
      connection.waitingBytes += 16 * 1024;
      test.monitor.check();
    }
    assertFalse(test.monitor.isFull("198.51.100.1"));
  }
  assert(test.monitor.waitingBytes < 8 * MIB);
});

Deno.test("ConnectionMonitor sees what was sent since its last check", () => {
  using test = supervising(1, 4 * MIB, ["a"]);
  test.checkFor(1);
  test.connections[0].waitingBytes = 3 * MIB;
  assert(test.monitor.isFull("a"));
});

Deno.test("ConnectionMonitor gives the place of a socket that never opens back", () => {
  using test = supervising(2);
  test.connections[0].isOpening = true;
  test.checkFor(10);
  assertEquals(test.connections[0].ends, []);
  test.checkFor(1);
  assertEquals(test.connections.map(({ ends }) => ends), [["neverOpened"], []]);
});

Deno.test("ConnectionMonitor notes how late it is", () => {
  using test = supervising(1);
  test.checkFor(3);
  assertEquals(test.metrics.distributions().loopDelay.counts[0], 3);
});
