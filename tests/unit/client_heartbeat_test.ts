import { mock } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { chat, cursor, presence, settle, start, waiting } from "../helpers/fake_socket.ts";

Deno.test("ChatConnection replaces a connection that nobody accepts", async () => {
  using test = await start();
  await test.tick(9_999);
  assertEquals(test.ann.state.status, "connecting");
  await test.tick(1);
  assertEquals(waiting(test.ann.state).reason, "The server does not answer");
  assert(test.sockets[0].closed);
});

Deno.test("ChatConnection tests a silent connection and keeps one that answers", async () => {
  using test = await start({ quietMs: 8_000 });
  test.socket.join();
  await test.tick(5_000);
  test.socket.say(presence(["bob"]));
  await test.tick(7_999);
  assertEquals(test.socket.sent("ping").length, 0);
  await test.tick(1);
  assertEquals(test.socket.sent("ping").length, 1);
  await test.tick(4_999);
  test.socket.say({ type: "pong", payload: {} });
  await test.tick(8_000);
  assertEquals(test.socket.sent("ping").length, 2);
  assertEquals(test.sockets.length, 1);
});

Deno.test("ChatConnection replaces a silent connection that does not answer", async () => {
  using test = await start({ quietMs: 8_000 });
  test.socket.join();
  await test.tick(8_000);
  await test.tick(4_999);
  assertEquals(test.ann.state.status, "live");
  await test.tick(1);
  assertEquals(waiting(test.ann.state).reason, "The connection is silent");
  assert(test.sockets[0].closed);
  // What the dead connection says after all is heard by nobody.
  test.sockets[0].say(chat(1));
  test.sockets[0].end(4501);
  assertEquals(test.ann.cursor, cursor(0));
  assertEquals(test.ann.state.status, "waiting");
});

Deno.test("ChatConnection tests sooner when a message is not acknowledged", async () => {
  using test = await start({ quietMs: 60_000 });
  test.socket.join();
  await test.tick(10_000);
  test.ann.send("hello");
  await settle();
  await test.tick(4_000);
  assertEquals(test.socket.sent("ping").length, 1);
  await test.tick(5_000);
  assertEquals(test.ann.state.status, "waiting");
});

Deno.test("ChatConnection asks again after a sleep before it gives a connection up", async () => {
  using test = await start({ quietMs: 8_000 });
  test.socket.join();
  await test.tick(8_000);
  // The machine sleeps for a minute: the clock goes on, and the timer comes late.
  const { now } = performance;
  const clock = mock.method(performance, "now", () => now() + 60_000);
  await test.tick(5_000);
  assertEquals(test.ann.state.status, "live");
  assertEquals(test.socket.sent("ping").length, 2);
  await test.tick(5_000);
  assertEquals(test.ann.state.status, "waiting");
  clock.mock.restore();
});

Deno.test("ChatConnection uses what a browser knows about its network", async () => {
  using test = await start({ reconnect: { minDelayMs: 1e9, maxDelayMs: 1e9 } });
  test.socket.join();
  dispatchEvent(new Event("offline"));
  assertEquals(test.socket.sent("ping").length, 1);
  await test.tick(5_000);
  assertEquals(test.ann.state.status, "waiting");
  dispatchEvent(new Event("online"));
  await settle();
  assertEquals(test.sockets.length, 2);
  test.ann.close();
  dispatchEvent(new Event("online"));
  await settle();
  assertEquals(test.sockets.length, 2);
});
