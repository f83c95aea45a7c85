import { assertEquals } from "@std/assert";
import { EnvelopeBatch, Hub, KvRoomLog } from "@hubbub/hub";
import { PROTOCOL_V1, PROTOCOL_V1_LINES, type Subprotocol } from "@hubbub/hub/protocol";
import { WebSocketConnection } from "../../src/connection/websocket_connection.ts";
import { ConnectionMonitor } from "../../src/connection/connection_monitor.ts";
import { TurnScheduler } from "../../src/connection/turn_scheduler.ts";
import { WriteScheduler } from "../../src/connection/write_scheduler.ts";

/** The server's side of a socket, as far as a connection uses it. */
class Socket {
  readonly readyState = WebSocket.OPEN;
  bufferedAmount = 0;
  /** What was sent, and how it was closed, in order. */
  sent: (string | number)[] = [];
  onopen?: () => void;
  send(text: string): void {
    this.sent.push(text);
  }
  close(code: number): void {
    this.sent.push(code);
  }
}

async function withConnection(
  protocol: Subprotocol,
  test: (connection: WebSocketConnection, socket: Socket) => Promise<void> | void,
): Promise<void> {
  using kv = await Deno.openKv(":memory:");
  await using hub = new Hub(new KvRoomLog(kv), { logger() {} });
  const monitor = new ConnectionMonitor({ metrics: hub.metrics });
  const socket = new Socket();
  const upgraded = { socket: socket as unknown as WebSocket, protocol, unopenedReason: () => "" };
  const connection = new WebSocketConnection(upgraded, {
    services: {
      hub,
      logger() {},
      monitor,
      scheduler: new WriteScheduler(),
      joinTurns: new TurnScheduler({ atOnce: 4 }),
      frameTurns: new TurnScheduler({ atOnce: 4 }),
    },
    room: "lobby",
    user: "ann",
  });
  socket.onopen?.();
  while (socket.sent.length === 0) await settled();
  socket.sent = [];
  await test(connection, socket);
  monitor.stop();
}

const forMany = (envelopes: readonly string[]) => new EnvelopeBatch(envelopes, { forMany: true });
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test("WebSocketConnection sends what waits for its turn before it closes", async () => {
  await withConnection(PROTOCOL_V1, (connection, socket) => {
    connection.send(forMany(["1", "2", "3"]));
    assertEquals(socket.sent, []);
    connection.close(4501, "The token has expired");
    assertEquals(socket.sent, ["1", "2", "3", 4501]);
  });
});

Deno.test("WebSocketConnection sends nothing more to a member that takes nothing", async () => {
  await withConnection(PROTOCOL_V1, async (connection, socket) => {
    connection.send(forMany(["1", "2", "3"]));
    connection.link.tooSlow();
    await settled();
    assertEquals(socket.sent, [4008]);
  });
});

Deno.test("WebSocketConnection keeps the order of what waits and of what comes later", async () => {
  for (const protocol of [PROTOCOL_V1, PROTOCOL_V1_LINES] as const) {
    await withConnection(protocol, async (connection, socket) => {
      const texts = Array.from({ length: 100 }, (_, i) => `${i} ${"x".repeat(50)}`);
      connection.send(forMany(texts));
      connection.send(new EnvelopeBatch(["an answer"]));
      connection.send(forMany(["the next"]));
      await settled();
      const lines = socket.sent.flatMap((text) => String(text).split("\n"));
      assertEquals(lines, [...texts, "an answer", "the next"]);
      connection.send(new EnvelopeBatch(["nothing waits", "for this"]));
      const rest = socket.sent.flatMap((text) => String(text).split("\n")).slice(102);
      assertEquals(rest, ["nothing waits", "for this"]);
    });
  }
});

Deno.test("WebSocketConnection tells a member that was behind what has changed on the whole", async () => {
  const typing = (user: string, status: boolean) =>
    new EnvelopeBatch([`typing ${user} ${status}`], {
      changes: [{ kind: "typing", user, status }],
    });
  const presence = (user: string, status: boolean) =>
    new EnvelopeBatch([`presence ${user} ${status}`], {
      changes: [{ kind: "presence", user, status }],
    });
  for (const protocol of [PROTOCOL_V1, PROTOCOL_V1_LINES] as const) {
    await withConnection(protocol, async (connection, socket) => {
      connection.send(typing("bob", true));
      connection.send(presence("cleo", true));
      assertEquals(socket.sent.splice(0), ["typing bob true", "presence cleo true"]);
      // Behind as far as can be told from what was sent, and by what the socket says.
      connection.send(new EnvelopeBatch(["x".repeat(300 * 1024)]));
      socket.bufferedAmount = 300 * 1024;
      socket.sent = [];
      connection.send(typing("bob", false));
      connection.send(typing("dan", true));
      connection.send(presence("cleo", false));
      connection.send(typing("dan", false));
      connection.send(presence("eve", true));
      connection.send(typing("bob", true));
      connection.send(typing("bob", false));
      await settled();
      assertEquals(socket.sent, []);
      socket.bufferedAmount = 0;
      while (socket.sent.length === 0) await settled();
      const lines = socket.sent.flatMap((text) => String(text).split("\n"));
      assertEquals(lines, ["presence cleo false", "presence eve true", "typing bob false"]);
      socket.sent = [];
      connection.send(typing("bob", true));
      assertEquals(socket.sent, ["typing bob true"]);
    });
  }
});

Deno.test("WebSocketConnection counts what waits for its turn among what waits for the peer", async () => {
  await withConnection(PROTOCOL_V1, async (connection, socket) => {
    connection.send(forMany(["12", "345"]));
    socket.bufferedAmount = 10;
    assertEquals(connection.waitingBytes, 15);
    socket.bufferedAmount = 0;
    await settled();
    assertEquals(connection.waitingBytes, 0);
  });
});
