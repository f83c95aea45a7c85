import { assert, assertEquals } from "@std/assert";
import { anew, ask, assertRefused, tokenOf } from "./hub_under_test.ts";
import type { HubUnderTest, PointCheck } from "./hub_under_test.ts";
import { Socket } from "./socket.ts";

/** A user with a token, over HTTP. */
class TokenUser {
  readonly #token: Promise<string>;

  constructor(readonly hub: HubUnderTest, readonly name: string, rooms?: Record<string, string>) {
    this.#token = tokenOf(hub, name, { rooms });
  }

  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${await this.#token}` };
    return await ask(this.hub.withTokens!.url + path, { ...init, headers });
  }

  // deno-lint-ignore no-explicit-any
  async answer(path: string, method = "GET", body?: object): Promise<any> {
    const init = { method, body: body && JSON.stringify(body) };
    const response = await this.request(path, init);
    const text = await response.text();
    assert(response.ok, text);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Posts a message, and gives its cursor. */
  async say(room: string, text: string): Promise<string> {
    return (await this.answer(`/rooms/${room}/messages`, "POST", { text })).cursor;
  }

  mark(room: string, read: string): Promise<unknown> {
    return this.answer(`/users/me/rooms?room=${room}`, "PUT", { read });
  }

  /** Its rooms. */
  // deno-lint-ignore no-explicit-any
  async rooms(): Promise<any[]> {
    return (await this.answer("/users/me/rooms")).rooms;
  }

  async connect(...rooms: string[]): Promise<Socket> {
    const protocols = ["hubbub.v2", `hubbub.token.${await this.#token}`];
    const socket = new Socket(`${this.hub.withTokens!.url}/ws`, protocols);
    await socket.first("welcome");
    socket.send(...rooms.map((room) => ({ type: "join", room })));
    await socket.until("the rooms", () => socket.of("joined").length === rooms.length);
    return socket;
  }
}

/** Waits until something holds: another process may hear of it a moment later. */
async function within<T>(what: string, read: () => Promise<T>, holds: (value: T) => boolean) {
  const until = performance.now() + 10_000;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (performance.now() > until) throw new Error(`${what}: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The points of read marks. */
export const READ_POINTS: readonly PointCheck[] = [
  {
    id: "READ-1",
    need: "withTokens",
    async check(hub) {
      const [ann, bob] = ["ann", "bob"].map((name) => new TokenUser(hub, anew(name)));
      const [watched, joined, posted] = [anew("room"), anew("room"), anew("room")];
      for (const room of [watched, joined]) await bob.say(room, "before");
      assertEquals(await ann.rooms(), []);
      await using watcher = await ann.connect();
      watcher.send({ type: "join", room: watched, payload: { presence: false } });
      await watcher.until("the watched room", () => watcher.of("joined").length === 1);
      await using socket = await ann.connect(joined);
      await ann.say(posted, "hello");
      const rooms = await within("both", () => ann.rooms(), (rooms) => rooms.length === 2);
      assertEquals(rooms.map(({ room, unread }) => [room, unread]), [[posted, 0], [joined, 0]]);
      assertEquals(socket.of("joined")[0].read, socket.of("joined")[0].cursor);
      const [{ cursor: read }] = watcher.of("joined");
      watcher.send({ type: "read", room: watched, payload: { cursor: read } });
      await within("all three", () => ann.rooms(), (rooms) => rooms.length === 3);
    },
  },
  {
    id: "READ-2",
    need: "withTokens",
    async check(hub) {
      const [ann, bob] = ["ann", "bob"].map((name) => new TokenUser(hub, anew(name)));
      const room = anew("room");
      const cursors = [await bob.say(room, "one"), await bob.say(room, "two")];
      for (const cursor of cursors.toReversed()) await ann.mark(room, cursor);
      assertEquals((await ann.rooms())[0].read, cursors[1]);
      const body = JSON.stringify({ read: "z".repeat(20) });
      const ahead = ann.request(`/users/me/rooms?room=${room}`, { method: "PUT", body });
      await assertRefused(ahead, 404, "not_found");
      await assertRefused(ask(`${hub.url}/users/me/rooms`), 404, "not_found");
    },
  },
  {
    id: "READ-3",
    need: "withTokens",
    async check(hub) {
      const [name, room] = [anew("ann"), anew("room")];
      const [ann, bob] = [name, anew("bob")].map((name) => new TokenUser(hub, name));
      await ann.mark(room, await bob.say(room, "before"));
      const gone = await bob.say(room, `@${name}, this goes`);
      const texts = ["plain", `hi @${name}!`, `@${name}x`, `x@${name}.example`, `(@${name})`];
      for (const text of texts) await bob.say(room, text);
      await ann.say(room, `I am @${name}`);
      await bob.answer(`/rooms/${room}/messages/${gone}`, "DELETE");
      const counts = await within(
        "the counts",
        () => ann.rooms(),
        ([{ unread }]) => unread === texts.length,
      );
      assertEquals(counts[0].mentions, 2);
    },
  },
  {
    id: "READ-4",
    need: "withTokens",
    async check(hub) {
      const [ann, bob] = ["ann", "bob"].map((name) => new TokenUser(hub, anew(name)));
      const room = anew("room");
      await bob.say(room, "before");
      await using one = await ann.connect(room);
      await using other = await ann.connect(room);
      const cursors = [await bob.say(room, "one"), await bob.say(room, "two")];
      for (const socket of [one, other]) {
        await socket.until("the messages", () => socket.of("chat_message").length === 3);
      }
      one.send({ type: "read", room, payload: { cursor: cursors[0] } });
      await other.until("the mark", () => other.of("read").length === 1);
      assertEquals(other.of("read", room)[0], { cursor: cursors[0], unread: 1, mentions: 0 });
      for (const cursor of [cursors[1], cursors[0]]) {
        one.send({ type: "read", room, payload: { cursor } });
      }
      await other.until("the last mark", () => other.of("read").at(-1)?.cursor === cursors[1]);
      assertEquals(one.of("read"), []);
      one.send({ type: "read", room, payload: { cursor: "z".repeat(20) } });
      await one.until("the error", () => one.of("error").length === 1);
      assertEquals([one.of("error")[0].code, one.of("error")[0].for], ["not_found", "read"]);
    },
  },
  {
    id: "READ-5",
    need: "withTokens",
    async check(hub) {
      const [open, shut] = [anew("open"), anew("shut")];
      const name = anew("ann");
      const before = new TokenUser(hub, name);
      const cursor = await before.say(open, "hello");
      await before.say(shut, "hello");
      const after = new TokenUser(hub, name, { [open]: "member" });
      const rooms = await after.rooms();
      assertEquals(rooms.map(({ room, cursor }) => [room, cursor]), [[open, cursor]]);
      assertEquals([rooms[0].last.text, rooms[0].last.cursor], ["hello", cursor]);
      const page = await before.answer("/users/me/rooms?limit=1");
      assertEquals(page.rooms[0].room, shut);
      const next = await before.answer(`/users/me/rooms?after=${encodeURIComponent(page.next)}`);
      assertEquals([next.rooms[0].room, next.next], [open, null]);
      await before.answer(`/users/me/rooms?room=${shut}`, "DELETE");
      assertEquals((await before.rooms()).map(({ room }) => room), [open]);
    },
  },
];
