import { assertEquals } from "@std/assert";
import { Hub, KvRoomLog } from "@hubbub/hub";
import { ConnectionMonitor } from "../../src/connection/connection_monitor.ts";
import { FairQueue } from "../../src/connection/fair_queue.ts";
import { MultiRoomConnection } from "../../src/connection/multi_room_connection.ts";
import { TurnScheduler } from "../../src/connection/turn_scheduler.ts";
import { WriteScheduler } from "../../src/connection/write_scheduler.ts";
import { eventually } from "../helpers/patience.ts";

/** The server's side of a socket, as far as a connection uses it. */
class Socket {
  readonly readyState = WebSocket.OPEN;
  bufferedAmount = 0;
  sent: string[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  send(text: string): void {
    this.sent.push(...text.split("\n"));
  }
  close(): void {}
  /** What came, as `type room what`. */
  get heard(): string[] {
    return this.sent.map((text) => {
      const { type, room = "", payload } = JSON.parse(text);
      const what = payload.text ?? payload.user ?? "";
      return [type, room, what.slice(0, 10)].filter((part) => part !== "").join(" ");
    });
  }
}

async function withConnection(test: (socket: Socket, hub: Hub) => Promise<void>): Promise<void> {
  using kv = await Deno.openKv(":memory:");
  await using hub = new Hub(new KvRoomLog(kv), { logger() {}, alone: true });
  const monitor = new ConnectionMonitor({ metrics: hub.metrics });
  const socket = new Socket();
  const upgraded = { socket: socket as unknown as WebSocket, unopenedReason: () => "" };
  const grant = {
    user: "ann",
    roomsMax: 200,
    rates: { takeMessage: () => 0, takeEnvelope: () => 0, takeRefusal: () => 0 },
    markClosing() {},
    release() {},
    enterRoom() {},
    leaveRoom() {},
    roleIn: () => "member" as const,
    renewed() {},
  };
  const services = {
    hub,
    logger() {},
    monitor,
    scheduler: new WriteScheduler(),
    joinTurns: new TurnScheduler({ atOnce: 4 }),
    frameTurns: new TurnScheduler({ atOnce: 4 }),
  };
  new MultiRoomConnection(upgraded, { services, grant });
  socket.onopen?.();
  socket.onmessage?.({ data: '{"type":"join","room":"busy"}\n{"type":"join","room":"quiet"}' });
  await eventually(() => socket.sent.length === 3, "both to be joined");
  socket.sent = [];
  await test(socket, hub);
  monitor.stop();
}

Deno.test("FairQueue takes the lanes in turn, and each in its order", () => {
  const queue = new FairQueue();
  const taken: (string | undefined)[] = [];
  for (let i = 0; i < 2_500; i++) queue.push(`a${i}`, "a");
  for (let i = 0; i < 3; i++) queue.push(`b${i}`, "b");
  assertEquals([queue.size, queue.nextLength], [2_503, 2]);
  while (queue.size > 0) taken.push(queue.take());
  assertEquals(taken.slice(0, 7), ["a0", "b0", "a1", "b1", "a2", "b2", "a3"]);
  const ofA = taken.filter((text) => text?.startsWith("a"));
  assertEquals(ofA, Array.from({ length: 2_500 }, (_, i) => `a${i}`));
  assertEquals([queue.take(), queue.length, queue.nextLength], [undefined, 0, 0]);
});

Deno.test("MultiRoomConnection does not delay a quiet room behind a busy one", async () => {
  await withConnection(async (socket, hub) => {
    const long = "x".repeat(4_000);
    for (let i = 0; i < 10; i++) await hub.publish("busy", "bob", { text: `${i} ${long}` });
    assertEquals(socket.sent.length, 10);
    // From here on the peer reads nothing.
    socket.bufferedAmount = 200 * 1024;
    socket.sent = [];
    for (let i = 0; i < 100; i++) await hub.publish("busy", "bob", { text: `${i} ${long}` });
    await hub.publish("quiet", "bob", { text: "hello" });
    assertEquals(socket.sent, []);
    socket.bufferedAmount = 0;
    await eventually(() => socket.sent.length === 101, "all to be sent");
    assertEquals(socket.heard[1], "chat_message quiet hello");
    const busy = socket.heard.filter((text) => text.includes("busy"));
    assertEquals(busy.map((text) => parseInt(text.split(" ")[2])), [...Array(100).keys()]);
  });
});

Deno.test("MultiRoomConnection forgets what it held back of a room that is left", async () => {
  await withConnection(async (socket, hub) => {
    const member = (user: string) => ({ user, send() {}, close() {} });
    const text = "x".repeat(4_000);
    for (let i = 0; i < 10; i++) await hub.publish("busy", "bob", { text });
    socket.bufferedAmount = 200 * 1024;
    for (let i = 0; i < 50; i++) await hub.publish("busy", "bob", { text });
    socket.sent = [];
    await hub.join("busy", member("cleo")).joined;
    await hub.join("quiet", member("dan")).joined;
    await hub.join("quiet", member("eve")).joined;
    socket.onmessage?.({ data: '{"type":"leave","room":"busy"}' });
    socket.bufferedAmount = 0;
    const heardOf = (start: string) => socket.heard.some((text) => text.startsWith(start));
    await eventually(() => heardOf("presence quiet") && heardOf("left busy"), "presence and left");
    const presence = socket.sent.map((text) => JSON.parse(text))
      .filter(({ type }) => type === "presence");
    assertEquals(presence, [{
      type: "presence",
      room: "quiet",
      payload: { joined: [{ user: "dan" }, { user: "eve" }], left: [] },
    }]);
  });
});
