import { assert, assertEquals } from "@std/assert";
import { createServer, Hub, KvRoomLog, type Member } from "@hubbub/hub";
import { mock } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { eventually } from "../helpers/patience.ts";
import { LingeringRooms } from "../../src/hub/lingering_rooms.ts";

/** A room that says whether something uses it. */
class TestRoom {
  readonly name: string;
  isIdle = true;

  constructor(name: string) {
    this.name = name;
  }
}

/** A hub that counts how often the end of a log is read, to open its room. */
function countedHub(kv: Deno.Kv) {
  const log = new KvRoomLog(kv);
  const counts = { reads: 0 };
  const { last } = log;
  log.last = (...args) => {
    counts.reads++;
    return last.apply(log, args);
  };
  return { hub: new Hub(log, { logger() {} }), counts };
}

Deno.test("LingeringRooms keeps a room for ten seconds after its last use", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let now = 0;
    const gone: string[] = [];
    const rooms = new LingeringRooms<TestRoom>(({ name }) => gone.push(name), () => now);
    const pass = (ms: number) => {
      now += ms;
      mock.timers.tick(ms);
    };
    const [a, b, c] = [new TestRoom("a"), new TestRoom("b"), new TestRoom("c")];
    rooms.add(a);
    rooms.add(c);
    pass(6_000);
    rooms.add(b);
    // Somebody is in it again.
    c.isIdle = false;
    assertEquals(rooms.size, 2);
    pass(3_999);
    assertEquals(gone, []);
    pass(1);
    assertEquals([gone, rooms.size], [["a"], 1]);
    rooms.add(b);
    pass(9_999);
    assertEquals(gone, ["a"]);
    pass(1);
    assertEquals([gone, rooms.size], [["a", "b"], 0]);
    rooms.add(a);
    rooms.clear();
    rooms.add(b);
    rooms.delete(b);
    pass(20_000);
    assertEquals([gone, rooms.size], [["a", "b"], 0]);
  } finally {
    mock.timers.reset();
  }
});

Deno.test("LingeringRooms keeps 128 rooms, those that were used last", () => {
  const gone: string[] = [];
  const rooms = new LingeringRooms<TestRoom>(({ name }) => gone.push(name));
  const all = Array.from({ length: 129 }, (_, index) => new TestRoom(`room-${index}`));
  for (const room of all.slice(0, 128)) rooms.add(room);
  rooms.add(all[0]);
  rooms.add(all[128]);
  assertEquals([rooms.size, gone], [128, ["room-1"]]);
  rooms.clear();
});

Deno.test("requests that write to a room where nobody is read its log once, not each time", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, counts } = countedHub(kv);
  await using server = createServer(hub, { logger() {} });
  const ask = async (method: string, path: string, body?: object) => {
    const init = { method, body: body && JSON.stringify(body) };
    const response = await server.fetch(new Request(`http://localhost/rooms/lobby${path}`, init));
    return await response.json();
  };
  const { cursor } = await ask("POST", "/messages", { user: "ann", text: "hello" });
  const before = counts.reads;
  for (let i = 0; i < 5; i++) {
    await ask("POST", "/messages", { user: "ann", text: `hello ${i}` });
    await ask("PATCH", `/messages/${cursor}`, { user: "ann", text: `edited ${i}` });
  }
  assertEquals([counts.reads - before, hub.roomCount], [0, 0]);
});

Deno.test("who joins and leaves a room where nobody is has its log read once", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, counts } = countedHub(kv);
  await using _hub = hub;
  const told: string[] = [];
  const ann: Member = {
    user: "ann",
    send: ({ envelopes }) => void told.push(...envelopes.map((text) => JSON.parse(text).type)),
    close() {},
  };
  const visit = async () => {
    const subscription = hub.join("lobby", ann, { history: 10 });
    await subscription.joined;
    subscription.leave();
  };
  await hub.publish("lobby", "bob", { text: "hello" });
  const before = counts.reads;
  for (let i = 0; i < 5; i++) {
    await visit();
    assertEquals(told.splice(0), ["chat_message", "joined"]);
  }
  assertEquals(counts.reads - before, 0);
  await eventually(() => hub.roomCount === 0, "nothing to use the room any more");
});

Deno.test("a room that lingers hears what others store, and who comes back misses nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const name = crypto.randomUUID();
  const { hub } = countedHub(kv);
  await using _hub = hub;
  await using other = new Hub(new KvRoomLog(kv), { logger() {} });
  await hub.publish("lobby", "ann", { text: name });
  for (let i = 0; i < 20; i++) {
    const stored = await other.publish("lobby", "bob", { text: `${i}` });
    const texts: string[] = [];
    const subscription = hub.join("lobby", {
      user: "ann",
      send({ envelopes }) {
        for (const text of envelopes) {
          const { type, payload } = JSON.parse(text);
          if (type === "chat_message") texts.push(payload.text);
        }
      },
      close() {},
    }, { history: 1 });
    await subscription.joined;
    // What is on its way from the other isolate comes live.
    while (texts.at(-1) !== `${i}`) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals([stored.status, new Set(texts).size], ["stored", texts.length]);
    subscription.leave();
  }
});

Deno.test("what is read of a log counts for whom it is read, once", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = async () => {
    await using hub = new Hub(new KvRoomLog(kv), { logger() {} });
    const drafts = Array.from({ length: 600 }, (_, i) => ({ text: `${i} ${"x".repeat(1_000)}` }));
    return await Promise.all(drafts.map((draft) => hub.publish("lobby", "bob", draft)));
  };
  const [oldest] = await store();
  assert(oldest.status === "stored");
  await using hub = new Hub(new KvRoomLog(kv), { logger() {} });
  const visit = async (user: string, after?: string) => {
    let length = 0;
    const subscription = hub.join("lobby", {
      user,
      send() {},
      close() {},
      onRead: (more) => void (length += more),
    }, { after, history: 1 });
    await subscription.joined;
    // What repeats are recognised by is read behind the join, and publishing waits for it.
    await hub.publish("lobby", user, { text: "here" });
    subscription.leave();
    return length;
  };
  const opening = await visit("ann");
  // 500 messages, by which repeats are recognised, and no more than a page beside them.
  assert(opening > 500_000 && opening < 1_000_000, `${opening}`);
  assertEquals(await visit("bob"), 0);
  const missed = await visit("carol", oldest.record.cursor);
  assert(missed > 100_000 && missed < 1_000_000, `${missed}`);
});

Deno.test("a room keeps nothing of the member that opened it, once that has left", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  using kv = await Deno.openKv(":memory:");
  const { hub } = countedHub(kv);
  await using _hub = hub;
  const visit = async () => {
    const ann: Member = { user: "ann", send() {}, close() {}, onRead() {} };
    const subscription = hub.join("lobby", ann);
    await subscription.joined;
    const bob = hub.join("lobby", { user: "bob", send() {}, close() {} });
    await bob.joined;
    subscription.leave();
    return new WeakRef(ann);
  };
  const ann = await visit();
  await eventually(() => {
    collect();
    return ann.deref() === undefined;
  }, "nothing to refer to the member any more");
  assertEquals(hub.roomCount, 1);
});
