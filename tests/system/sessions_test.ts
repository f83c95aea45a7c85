// Cookie sessions: a connection stays as long as its session does, and no longer.

import { mock } from "node:test";
import { assertEquals } from "@std/assert";
import type { Authorize, RoomRole } from "@hubbub/hub";
import { needs } from "../helpers/permissions.ts";
import { OPCODES, RawSocket } from "../helpers/raw_socket.ts";
import { serveAlone, type TestServer } from "../helpers/test_server.ts";

const net = needs("net");

/** The time of the wall, which passes when a test says so. */
class WallClock implements Disposable {
  readonly #mock: { mock: { restore(): void } };
  #passedMs = 0;

  constructor() {
    const trueNow = Date.now;
    this.#mock = mock.method(Date, "now", () => trueNow() + this.#passedMs);
  }

  pass(ms: number): void {
    this.#passedMs += ms;
  }

  [Symbol.dispose](): void {
    this.#mock.mock.restore();
  }
}

/** Sessions of a database, by the cookie `session`. */
class Sessions {
  readonly byId = new Map<string, { user: string; expiresAt: number; role?: RoomRole }>();
  asked = 0;
  isDown = false;

  readonly authorize: Authorize = (request) => {
    this.asked++;
    if (this.isDown) return Promise.reject(new Error("no answer"));
    const id = /session=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1] ?? "";
    const session = this.byId.get(id);
    if (!session || session.expiresAt <= Date.now()) return { denied: "Please log in" };
    const { user, expiresAt, role = "member" } = session;
    return { user, expiresAt, roleIn: () => role };
  };
}

type Version = "v1" | "v2";

const PATHS = { v1: "/rooms/lobby/ws", v2: "/ws" } as const;

/** Opens a connection with a cookie. */
async function open(server: TestServer, version: Version): Promise<RawSocket> {
  const protocol = version === "v2" ? "hubbub.v2" : "hubbub.v1";
  return await RawSocket.open(server.url + PATHS[version], {
    cookie: "a=b; session=s1",
    "sec-websocket-protocol": protocol,
  });
}

/** Says something, and reads until it is stored, refused, or the connection closed. */
async function say(socket: RawSocket, version: Version, text: string): Promise<string> {
  const room = version === "v2" ? { room: "lobby" } : {};
  const join = version === "v2" ? `{"type":"join","room":"lobby"}\n` : "";
  const message = { type: "chat_message", ...room, payload: { text, ref: text } };
  await socket.send(OPCODES.text, join + JSON.stringify(message));
  for (;;) {
    const frame = await socket.read();
    if (!frame) return "gone";
    if (frame.opcode === OPCODES.close) return `${frame.payload[0] * 256 + frame.payload[1]}`;
    for (const line of new TextDecoder().decode(frame.payload).split("\n")) {
      const { type, payload } = JSON.parse(line);
      if (type === "chat_message" && payload.text === text) return "stored";
      if (type === "error" && payload.for !== "join") return payload.code;
    }
  }
}

/** What becomes of a connection when the time of its session is over. */
const CASES: Readonly<Record<string, (version: Version, time: WallClock) => Promise<void>>> = {
  async "A session that was prolonged keeps its connection"(version, time) {
    const sessions = new Sessions();
    const session = { user: "ann", expiresAt: Date.now() + 60_000 };
    sessions.byId.set("s1", session);
    await using server = await serveAlone({ authorize: sessions.authorize });
    using socket = await open(server, version);
    assertEquals(await say(socket, version, "1"), "stored");
    // What the application does when the user does something elsewhere.
    session.expiresAt += 120_000;
    time.pass(61_000);
    assertEquals(sessions.asked, 1);
    for (const text of ["2", "3"]) assertEquals(await say(socket, version, text), "stored");
    assertEquals(sessions.asked, 2, "asked once more, and no more");
  },
  async "A session that ended ends its connection"(version, time) {
    const sessions = new Sessions();
    sessions.byId.set("s1", { user: "ann", expiresAt: Date.now() + 60_000 });
    await using server = await serveAlone({ authorize: sessions.authorize });
    using socket = await open(server, version);
    assertEquals(await say(socket, version, "1"), "stored");
    time.pass(61_000);
    assertEquals(await say(socket, version, "2"), "4501");
    assertEquals((await server.log.last("lobby", { limit: 10 })).length, 1);
  },
  async "A session that is another's by now is not this connection's"(version, time) {
    const sessions = new Sessions();
    sessions.byId.set("s1", { user: "ann", expiresAt: Date.now() + 60_000 });
    await using server = await serveAlone({ authorize: sessions.authorize });
    using socket = await open(server, version);
    assertEquals(await say(socket, version, "1"), "stored");
    const { expiresAt } = sessions.byId.get("s1")!;
    sessions.byId.set("s1", { user: "bob", expiresAt: expiresAt + 120_000 });
    time.pass(61_000);
    assertEquals(await say(socket, version, "2"), "4501");
  },
  async "A session that cannot be verified lets the client come back"(version, time) {
    const sessions = new Sessions();
    sessions.byId.set("s1", { user: "ann", expiresAt: Date.now() + 60_000 });
    await using server = await serveAlone({ authorize: sessions.authorize });
    using socket = await open(server, version);
    assertEquals(await say(socket, version, "1"), "stored");
    sessions.isDown = true;
    time.pass(61_000);
    assertEquals(await say(socket, version, "2"), "1011");
    assertEquals(server.hub.metrics.authorizeFailures, 1);
  },
  async "A prolonged session has the role that it has by now"(version, time) {
    const sessions = new Sessions();
    const session = { user: "ann", expiresAt: Date.now() + 60_000, role: "member" as RoomRole };
    sessions.byId.set("s1", session);
    await using server = await serveAlone({ authorize: sessions.authorize });
    using socket = await open(server, version);
    assertEquals(await say(socket, version, "1"), "stored");
    session.expiresAt += 120_000;
    session.role = "reader";
    time.pass(61_000);
    assertEquals(await say(socket, version, "2"), "forbidden");
  },
};

for (const version of ["v1", "v2"] as const) {
  for (const [name, fn] of Object.entries(CASES)) {
    Deno.test(`${name}, ${version}`, net, async () => {
      using time = new WallClock();
      await fn(version, time);
    });
  }
}
