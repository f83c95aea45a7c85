import { assertEquals, assertThrows } from "@std/assert";
import { ConnectionLimits } from "../../src/access/connection_limits.ts";
import type { ConnectionSlot } from "../../src/access/connection_slot.ts";
import type { ConnectionLimitsOptions } from "../../src/access/connection_limits.ts";
import { HttpError } from "../../src/access/http_error.ts";
import { MessageRates } from "../../src/access/message_rates.ts";
import { RefusalLog } from "../../src/access/refusal_log.ts";

/** Limits, and those that were reached, in order. */
function limitsOf(
  settings: ConnectionLimitsOptions["limits"],
  options: Partial<ConnectionLimitsOptions> = {},
) {
  const reached: [limit: string, address: string | undefined][] = [];
  const onReached = (limit: string, address: string | undefined) => {
    reached.push([limit, address]);
  };
  return { reached, limits: new ConnectionLimits({ limits: settings, onReached, ...options }) };
}

function refused(action: () => unknown): string {
  return assertThrows(action, HttpError).problem.code;
}

Deno.test("ConnectionLimits.acquire() counts by address; a place is released once", () => {
  const { limits, reached } = limitsOf({ maxConnectionsPerAddress: 2 });
  const first = limits.acquire("192.0.2.1");
  limits.acquire("192.0.2.1");
  assertEquals(refused(() => limits.acquire("192.0.2.1")), "too_many_connections");
  limits.acquire("192.0.2.2");
  limits.acquire(undefined);
  first.release();
  first.release();
  first[Symbol.dispose]();
  assertEquals(limits.connections, 3);
  assertEquals(reached, [["address", "192.0.2.1"]]);
});

Deno.test("ConnectionLimits spares this machine's own addresses, unless a limit is given", () => {
  const { limits } = limitsOf({ maxConnections: 0 });
  for (const own of ["127.0.0.1", "127.8.8.8", "::/64"]) {
    for (let i = 0; i < 2_500; i++) limits.acquire(own);
    for (let i = 0; i < 2_500; i++) limits.acquireRequest(own);
  }
  for (let i = 0; i < 2_000; i++) limits.acquire("192.0.2.1");
  assertEquals(refused(() => limits.acquire("192.0.2.1")), "too_many_connections");
  for (const given of [{ maxConnectionsPerAddress: 1 }, { requestsPerSecondPerAddress: 0.1 }]) {
    const { limits: strict } = limitsOf(given);
    strict.acquireRequest("127.0.0.1");
    assertEquals(typeof refused(() => strict.acquireRequest("127.0.0.1")), "string");
  }
});

Deno.test("ConnectionLimits limits how fast an address connects again", () => {
  const { limits, reached } = limitsOf({ maxConnectionsPerAddress: 5 });
  for (let i = 0; i < 5; i++) limits.acquire("192.0.2.1").release();
  assertEquals(refused(() => limits.acquire("192.0.2.1")), "rate_limited");
  assertEquals(reached, [["address_rate", "192.0.2.1"]]);
  assertEquals(limits.connections, 0);
});

Deno.test("ConnectionLimits counts connections by user, by room and all of them", () => {
  const { limits, reached } = limitsOf({
    maxConnections: 6,
    maxConnectionsPerUser: 2,
    maxConnectionsPerRoom: 3,
  });
  const slots: ConnectionSlot[] = [];
  const join = (room: string, user: string | undefined) => {
    const slot = limits.acquire(undefined);
    slots.push(slot);
    slot.claim(room, user);
  };
  join("a", "ann");
  join("b", "ann");
  assertEquals(refused(() => join("a", "ann")), "too_many_connections");
  slots.pop()!.release();
  join("a", "bob");
  join("a", undefined);
  assertEquals(refused(() => join("a", "cid")), "too_many_connections");
  slots.pop()!.release();
  join("b", undefined);
  join("b", undefined);
  assertEquals(refused(() => join("c", "cid")), "unavailable");
  assertEquals(reached.map(([limit]) => limit), ["user", "room", "isolate"]);
  for (const slot of slots) slot.release();
  assertEquals(limits.connections, 0);
  join("a", "ann");
});

Deno.test("ConnectionLimits counts connections that were closed until they are released", () => {
  const { limits } = limitsOf({});
  const slot = limits.acquire("192.0.2.1");
  slot.markClosing();
  slot.markClosing();
  assertEquals([limits.connections, limits.closingConnections], [1, 1]);
  slot.release();
  slot.markClosing();
  assertEquals([limits.connections, limits.closingConnections], [0, 0]);
});

Deno.test("ConnectionLimits.acquireRequest() counts requests by address, and how fast they come", () => {
  let now = 0;
  const settings = { maxConnectionsPerAddress: 3, requestsPerSecondPerAddress: 2 };
  const { limits, reached } = limitsOf(settings, { now: () => now });
  const slots = [1, 2, 3].map(() => limits.acquireRequest("192.0.2.1"));
  assertEquals(refused(() => limits.acquireRequest("192.0.2.1")), "too_many_connections");
  limits.acquireRequest("192.0.2.2");
  // A connection of the address has its own count.
  limits.acquire("192.0.2.1");
  for (const slot of [...slots, ...slots]) slot.release();
  assertEquals([limits.requests, limits.connections], [1, 1]);
  // Ten seconds' worth at once, of which three were taken.
  for (let i = 0; i < 17; i++) limits.acquireRequest("192.0.2.1").release();
  const { problem, headers } = assertThrows(() => limits.acquireRequest("192.0.2.1"), HttpError);
  assertEquals([problem.code, headers["retry-after"]], ["rate_limited", "1"]);
  now += 500;
  limits.acquireRequest("192.0.2.1").release();
  assertEquals(reached.map(([limit]) => limit), ["address_requests", "address_request_rate"]);
});

Deno.test("ConnectionLimits.acquireRequest() lets 500 of an address wait, however many may connect", () => {
  const { limits, reached } = limitsOf({});
  const slots = Array.from({ length: 500 }, () => limits.acquireRequest("192.0.2.1"));
  assertEquals(refused(() => limits.acquireRequest("192.0.2.1")), "too_many_connections");
  limits.acquireRequest("192.0.2.2");
  slots[0].release();
  limits.acquireRequest("192.0.2.1");
  assertEquals(reached, [["address_requests", "192.0.2.1"]]);
});

Deno.test("ConnectionLimits.acquireRequest() has a limit on all requests together", () => {
  const { limits, reached } = limitsOf({ maxConnections: 1 });
  const slot = limits.acquireRequest(undefined);
  assertEquals(refused(() => limits.acquireRequest("127.0.0.1")), "unavailable");
  slot.release();
  limits.acquireRequest("127.0.0.1");
  assertEquals(reached, [["requests", "127.0.0.1"]]);
});

Deno.test("ConnectionLimits has no limit where it is 0", () => {
  const { limits } = limitsOf({
    maxConnections: 0,
    maxConnectionsPerAddress: 0,
    maxConnectionsPerRoom: 0,
    maxConnectionsPerUser: 0,
    requestsPerSecondPerAddress: 0,
  });
  for (let i = 0; i < 30_000; i++) {
    limits.acquireRequest("192.0.2.1");
    limits.acquire("192.0.2.1").claim("lobby", "ann");
  }
});

Deno.test("ConnectionLimits takes no requests of those for whom too much waits", () => {
  const full = new Set<string | undefined>(["192.0.2.1"]);
  const { limits, reached } = limitsOf({}, { isMemoryShort: (share) => full.has(share) });
  assertEquals(refused(() => limits.acquireRequest("192.0.2.1")), "too_many_connections");
  limits.acquireRequest("192.0.2.2");
  limits.acquireRequest("192.0.2.1", "another share");
  full.clear();
  limits.acquireRequest("192.0.2.1");
  assertEquals(reached, [["memory", "192.0.2.1"]]);
});

Deno.test("new ConnectionLimits() refuses limits that are none", () => {
  for (const value of [NaN, -1, 1.5, Infinity, 2 ** 60]) {
    assertThrows(
      () => limitsOf({ maxConnections: value }),
      RangeError,
      `Cannot use maxConnections ${value}: it must be a whole number from 0 to`,
    );
  }
  const text = { maxConnectionsPerUser: "7" } as unknown as ConnectionLimitsOptions["limits"];
  assertThrows(() => limitsOf(text), TypeError, 'Cannot use maxConnectionsPerUser "7"');
  assertThrows(() => limitsOf({ requestsPerSecondPerAddress: -0.5 }), RangeError, "at least 0");
});

const LIMITS = {
  text_max_bytes: 4096,
  typing_timeout_ms: 3000,
  messages_per_second: 20,
  message_burst: 40,
};

Deno.test("MessageRates are not got around by a new name for each message", () => {
  const reached: string[] = [];
  const rates = new MessageRates({
    limits: LIMITS,
    now: () => 0,
    onReached: (limit) => reached.push(limit),
  });
  let taken = 0;
  for (let i = 0; i < 10_000; i++) {
    if (rates.take({ owner: `name ${i}`, address: "192.0.2.1" }) === 0) taken++;
  }
  assertEquals(taken, 200);
  assertEquals(new Set(reached), new Set(["address_message_rate"]));
  assertEquals(rates.take({ owner: "name 1", address: "192.0.2.2" }), 0);
});

Deno.test("MessageRates limit a user, whatever the connection", () => {
  const rates = new MessageRates({ limits: LIMITS, now: () => 0 });
  const source = { owner: "ann", address: undefined };
  for (let i = 0; i < 80; i++) assertEquals(rates.take(source), 0);
  assertEquals(rates.take(source), 25);
  assertEquals(rates.take({ owner: "bob", address: undefined }), 0);
});

Deno.test("MessageRates are none where a connection has none", () => {
  const rates = new MessageRates({ limits: { ...LIMITS, messages_per_second: 0 } });
  for (let i = 0; i < 1_000; i++) {
    assertEquals(rates.take({ owner: "ann", address: "192.0.2.1" }), 0);
  }
});

Deno.test("RefusalLog logs each limit once a minute, with the address and how often", () => {
  let now = 0;
  const lines: unknown[] = [];
  const refusals = new RefusalLog({
    logger: (level, event, fields) => lines.push([level, event, fields]),
    now: () => now,
  });
  for (let i = 0; i < 100; i++) refusals.add("address", "192.0.2.1");
  refusals.add("room", undefined);
  now = 60_000;
  refusals.add("address", "192.0.2.2");
  refusals.add("address", "192.0.2.3");
  assertEquals(lines, [
    ["warn", "limit_reached", { limit: "address", address: "192.0.2.1", times: 1 }],
    ["warn", "limit_reached", { limit: "room", address: undefined, times: 1 }],
    ["warn", "limit_reached", { limit: "address", address: "192.0.2.2", times: 100 }],
  ]);
});

Deno.test("ConnectionLimits counts the rooms of an address, and its stays in them", () => {
  const { limits, reached } = limitsOf({ maxRoomsPerAddress: 2 });
  const slots = Array.from({ length: 30 }, () => limits.acquire("192.0.2.1"));
  slots[0].claim("one", undefined);
  slots[0].enter("two");
  assertEquals(refused(() => slots[0].enter("three")), "too_many_connections");
  assertEquals(refused(() => slots[1].claim("three", undefined)), "too_many_connections");
  limits.acquire("192.0.2.2").enter("three");
  for (const slot of slots.slice(1, 25)) for (const room of ["one", "two"]) slot.enter(room);
  assertEquals(refused(() => slots[25].enter("one")), "too_many_connections", "the 51st stay");
  assertEquals(new Set(reached.map(String)), new Set(["address_rooms,192.0.2.1"]));
  slots[0].exit("one");
  slots[0].exit("one");
  slots[25].enter("one");
  for (const slot of slots) slot.release();
  const next = limits.acquire("192.0.2.1");
  next.enter("three");
  next.enter("four");
  assertEquals(refused(() => next.enter("five")), "too_many_connections");
});
