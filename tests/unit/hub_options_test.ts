import { assertEquals, assertThrows } from "@std/assert";
import { type Fanout, Hub, type HubOptions, KvRoomLog } from "@hubbub/hub";
import { eventually } from "../helpers/patience.ts";
import { messageText } from "../../src/store/entry.ts";
import { TestMember } from "../helpers/test_member.ts";

const fanout: Fanout = { publish() {}, subscribe() {}, close() {} };

// deno-lint-ignore no-explicit-any
const WRONG: [any, ErrorConstructor, string][] = [
  [{ heartbeatMs: NaN }, RangeError, "Cannot use heartbeatMs NaN: it must be a whole number"],
  [{ heartbeatMs: 0 }, RangeError, "Cannot use heartbeatMs 0"],
  [{ heartbeatMs: 1.5 }, RangeError, "Cannot use heartbeatMs 1.5"],
  [{ heartbeatMs: 2 ** 31 }, RangeError, "from 1 to 2147483647"],
  [{ heartbeatMs: "2000" }, TypeError, 'Cannot use heartbeatMs "2000"'],
  [{ expiryMs: -1 }, RangeError, "Cannot use expiryMs -1"],
  [{ heartbeatMs: 5_000, expiryMs: 5_000 }, RangeError, "between two heartbeats"],
  [{ heartbeatMs: 10_000 }, RangeError, "Cannot use expiryMs 7000 with heartbeatMs 10000"],
  [{ alone: true, fanout }, TypeError, "Cannot use alone with a fanout"],
  [{ alone: true, commitInTurn: true }, TypeError, "Cannot use alone with commitInTurn"],
  [{ alone: "no" }, TypeError, 'Cannot use alone "no": it must be true or false'],
  [{ commitInTurn: 1 }, TypeError, "Cannot use commitInTurn 1"],
  [{ fanout: { publish() {} } }, TypeError, "it has no method subscribe()"],
  [{ logger: console }, TypeError, "Cannot use logger {…}: it must be a function"],
  [{ moderate: true }, TypeError, "Cannot use moderate true"],
  [{ now: 5 }, TypeError, "Cannot use now 5"],
  [{ metrics: {} }, TypeError, "new Metrics()"],
  [{ limits: { text_max_bytes: 0 } }, RangeError, "Cannot use limits.text_max_bytes 0"],
  [{ limits: { typing_timeout_ms: Infinity } }, RangeError, "limits.typing_timeout_ms Infinity"],
  [{ limits: { messages_per_second: -1 } }, RangeError, "limits.messages_per_second -1"],
  [{ limits: { messages_per_second: NaN } }, RangeError, "limits.messages_per_second NaN"],
  [{ limits: { message_burst: 0 } }, RangeError, "Cannot use limits.message_burst 0"],
  [{ limits: { messagesPerSecond: 5 } }, TypeError, "Cannot use limits.messagesPerSecond"],
];

for (const [options, error, message] of WRONG) {
  Deno.test(`new Hub() refuses what cannot be right: ${message}`, async () => {
    using kv = await Deno.openKv(":memory:");
    assertThrows(() => new Hub(new KvRoomLog(kv), options), error, message);
  });
}

Deno.test("new Hub() takes every option in its range", async () => {
  using kv = await Deno.openKv(":memory:");
  const all: HubOptions = {
    limits: { messages_per_second: 0, message_burst: 0, typing_timeout_ms: 1, text_max_bytes: 1 },
    logger() {},
    now: Date.now,
    heartbeatMs: 1,
    expiryMs: 2,
    fanout,
    commitInTurn: true,
    alone: false,
  };
  await new Hub(new KvRoomLog(kv), all).drain();
  await new Hub(new KvRoomLog(kv), { alone: true, fanout: undefined }).drain();
});

Deno.test("two hubs without options over one database see each other's messages", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const hubs = [new Hub(log), new Hub(new KvRoomLog(kv))];
  const members = await Promise.all(hubs.map(async (hub, index) => {
    const member = new TestMember(`user${index}`);
    await hub.join("lobby", member).joined;
    return member;
  }));
  for (const [index, hub] of hubs.entries()) {
    await hub.publish("lobby", "bot", { text: `${index}`, ref: `${index}` });
    await eventually(() => members.every(({ said }) => said.includes(`${index}`)), `${index}`);
  }
  // Both wrote the same: it stands once, on either.
  const both = await Promise.all(hubs.map((hub) => {
    return hub.publish("lobby", "bot", { text: "twice", ref: "2" });
  }));
  await eventually(() => members.every(({ said }) => said.includes("twice")), "the third");
  assertEquals(both.map(({ status }) => status).sort(), ["duplicate", "stored"]);
  // The duplicate is struck out a moment later.
  const stored = (await eventually(async () => {
    const records = await log.last("lobby", { limit: 9, shownOnly: true });
    return records.length === 3 && records;
  }, "a tombstone")).map(messageText);
  for (const { messages } of members) {
    assertEquals(messages, stored.map((text) => JSON.parse(text)));
  }
  await Promise.all(hubs.map((hub) => hub.drain()));
});
