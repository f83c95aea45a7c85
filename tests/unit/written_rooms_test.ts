import { assertEquals } from "@std/assert";
import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
import { mock } from "node:test";
import { WrittenRooms } from "../../src/http/written_rooms.ts";

/** A hub whose rooms are counted. */
function holder() {
  const holds = new Map<string, number>();
  const count = (room: string, more: number) => {
    const left = (holds.get(room) ?? 0) + more;
    if (left === 0) holds.delete(room);
    else holds.set(room, left);
  };
  return {
    holds,
    hold(room: string): Disposable {
      count(room, 1);
      return { [Symbol.dispose]: () => count(room, -1) };
    },
  };
}

Deno.test("WrittenRooms keeps each room once, until nothing was written to it for ten seconds", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const hub = holder();
    let now = 0;
    const written = new WrittenRooms(hub, () => now);
    const pass = (ms: number) => {
      now += ms;
      mock.timers.tick(ms);
    };
    written.keep("a");
    pass(6_000);
    written.keep("b");
    written.keep("b");
    assertEquals([...hub.holds], [["a", 1], ["b", 1]]);
    pass(4_000);
    assertEquals([...hub.holds], [["b", 1]]);
    pass(5_999);
    assertEquals([...hub.holds], [["b", 1]]);
    pass(1);
    assertEquals(hub.holds.size, 0);
    written.keep("a");
    written.stop();
    written.keep("b");
    assertEquals(hub.holds.size, 0);
  } finally {
    mock.timers.reset();
  }
});

Deno.test("WrittenRooms keeps 128 rooms, those that were written to last", () => {
  const hub = holder();
  const written = new WrittenRooms(hub);
  for (let i = 0; i < 128; i++) written.keep(`room-${i}`);
  written.keep("room-0");
  written.keep("one more");
  assertEquals([hub.holds.size, hub.holds.has("room-0"), hub.holds.has("room-1")], [
    128,
    true,
    false,
  ]);
  written.stop();
  assertEquals(hub.holds.size, 0);
});

Deno.test("requests that write to a room where nobody is read its log once, not each time", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  let reads = 0;
  const { last } = log;
  log.last = (...args) => {
    reads++;
    return last.apply(log, args);
  };
  const hub = new Hub(log, { logger() {} });
  await using server = createServer(hub, { logger() {} });
  const ask = async (method: string, path: string, body?: object) => {
    const init = { method, body: body && JSON.stringify(body) };
    const response = await server.fetch(new Request(`http://localhost/rooms/lobby${path}`, init));
    return await response.json();
  };
  const { cursor } = await ask("POST", "/messages", { user: "ann", text: "hello" });
  const before = reads;
  for (let i = 0; i < 5; i++) {
    await ask("POST", "/messages", { user: "ann", text: `hello ${i}` });
    await ask("PATCH", `/messages/${cursor}`, { user: "ann", text: `edited ${i}` });
  }
  assertEquals([reads - before, hub.roomCount], [0, 1]);
});
