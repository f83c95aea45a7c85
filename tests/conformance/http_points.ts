import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  anew,
  ask,
  assertRefused,
  type HubUnderTest,
  page,
  type PointCheck,
  post,
  tokenOf,
} from "./hub_under_test.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { Member } from "./member.ts";
import { PATIENCE_MS } from "./socket.ts";

/** An event of a stream, as it came. */
interface StreamEvent {
  readonly event?: string;
  readonly data?: string;
  readonly id?: string;
  readonly retry?: string;
}

/** Reads a stream of events until one passes a test, and hangs up. */
async function events(
  hub: HubUnderTest,
  path: string,
  isLast: (event: StreamEvent) => boolean,
  headers: Record<string, string> = {},
): Promise<StreamEvent[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await ask(`${hub.url}${path}`, { headers, signal });
  assertEquals(response.status, 200);
  assertMatch(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  const found: StreamEvent[] = [];
  let text = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    const blocks = text.split("\n\n");
    text = blocks.pop()!;
    for (const block of blocks) {
      const fields = block.split("\n").map((line) => /^(\w*): ?(.*)$/s.exec(line)?.slice(1) ?? []);
      found.push(Object.fromEntries(fields));
    }
    if (found.some(isLast)) break;
  }
  return found;
}

const isJoined = ({ event }: StreamEvent) => event === "joined";

/** Stores messages by POST; gives them. */
async function store(hub: HubUnderTest, room: string, count: number) {
  const stored = [];
  const user = anew("ann");
  for (let n = 1; n <= count; n++) {
    const response = await post(hub, room, { user: `${user} ${n % 7}`, text: `${n}` });
    assertEquals(response.status, 201);
    stored.push(await response.json());
  }
  return stored;
}

/** Checks that pages of long messages are bounded in bytes, and lead to all of them. */
async function assertLongPages(hub: HubUnderTest): Promise<void> {
  const room = anew("room");
  // JSON writes each of these characters in six bytes.
  const texts = Array.from({ length: 30 }, (_, n) => `${n} ${"\u0007".repeat(4_000)}`);
  for (const text of texts) {
    const response = await post(hub, room, { user: "ann", text });
    assertEquals([response.status, (await response.json()).text], [201, text]);
  }
  const pages: { readonly cursor: string; readonly text: string }[][] = [];
  for (let query = "limit=100"; pages.at(-1)?.length !== 0;) {
    const response = await ask(`${hub.url}/rooms/${room}/messages?${query}`);
    const text = await response.text();
    assert(text.length < 320 * 1024, `a page of ${text.length} bytes`);
    const { messages } = JSON.parse(text);
    pages.unshift(messages);
    if (messages.length === 0) break;
    query = `limit=100&before=${messages[0].cursor}`;
  }
  assert(pages.at(-1)!.length >= 10, `${pages.at(-1)!.length} of the newest`);
  assertEquals(pages.flat().map(({ text }) => text), texts);
}

/** Checks that a reader whose session has ended meanwhile is asked to come back. */
async function assertEndedSession(hub: HubUnderTest, room: string): Promise<void> {
  if (!hub.withTokens) return;
  // Past any leeway.
  const authorization = `Bearer ${await tokenOf(hub, "ann", { seconds: -600 })}`;
  const path = `/rooms/${room}/events`;
  const closed = { ...hub, url: hub.withTokens.url };
  const headers = { authorization };
  await assertRefused(ask(`${closed.url}${path}`, { headers }), 401, "unauthorized");
  const back = { ...headers, "last-event-id": "0".repeat(20) };
  const [refusal] = await events(closed, path, ({ event }) => event === "error", back);
  assert(Number(refusal.retry) >= 3000);
  assertEquals(JSON.parse(refusal.data!).code, "unauthorized");
}

/** Runs something while a server stops: one of its connections does not close. */
async function whileStopping(
  given: HubUnderTest,
  action: (hub: HubUnderTest) => Promise<void>,
): Promise<void> {
  if (!given.startStoppable) return;
  await using server = await given.startStoppable();
  using silent = await RawSocket.open(`${server.url}/rooms/lobby/ws?user=silent`);
  await silent.until("joined");
  const stopped = server.stop();
  await action({ ...given, url: server.url });
  await stopped;
}

/** The points of HTTP. */
export const HTTP_POINTS: readonly PointCheck[] = [
  {
    id: "HTTP-1",
    async check(hub) {
      const room = anew("room");
      const all = await store(hub, room, 60);
      assertEquals(await page(hub, room), all.slice(-50));
      assertEquals(await page(hub, room, "limit=100"), all);
      assertEquals(await page(hub, room, "limit=2"), all.slice(-2));
      const { cursor } = all[29];
      assertEquals(await page(hub, room, `before=${cursor}&limit=3`), all.slice(26, 29));
      assertEquals(await page(hub, room, `after=${cursor}&limit=3`), all.slice(30, 33));
      assertEquals(await page(hub, room, `before=${all[0].cursor}`), []);
      assertEquals(await page(hub, room, `after=${all[59].cursor}`), []);
      assertEquals(await page(hub, anew("room")), []);
      await assertLongPages(hub);
    },
  },
  {
    id: "HTTP-2",
    async check(hub) {
      const room = anew("room");
      const [{ cursor }] = await store(hub, room, 1);
      const refused = (query: string, code: string) => {
        return assertRefused(ask(`${hub.url}/rooms/${room}/messages?${query}`), 400, code);
      };
      await refused(`before=${cursor}&after=${cursor}`, "bad_query");
      for (const name of ["after[0]", "before[]", "limit%5Bx%5D"]) {
        await refused(`${name}=1`, "bad_query");
      }
      for (const limit of ["0", "101", "-1", "1.5", "x"]) {
        await refused(`limit=${limit}`, "bad_query");
      }
      for (const name of ["before", "after"]) await refused(`${name}=nonsense`, "bad_cursor");
    },
  },
  {
    id: "HTTP-3",
    async check(hub) {
      const room = anew("room");
      await using bob = await Member.join(hub, { room, user: "bob" });
      const body = { user: "ann", text: "hello", ref: "r1" };
      const first = await post(hub, room, body);
      assertEquals(first.status, 201);
      const message = await first.json();
      assertEquals([message.user, message.text, message.ref], ["ann", "hello", "r1"]);
      const second = await post(hub, room, body);
      assertEquals([second.status, await second.json()], [200, message]);
      await bob.heard(1);
      assertEquals([bob.messages, await page(hub, room)], [[message], [message]]);
    },
  },
  {
    id: "HTTP-4",
    async check(hub) {
      const room = anew("room");
      for (const body of ["", "hello", "[]", "null", "7"]) {
        await assertRefused(post(hub, room, body), 400, "bad_body");
      }
      const latin = new Uint8Array([0x22, 0xff, 0x22]);
      const url = `${hub.url}/rooms/${room}/messages`;
      await assertRefused(ask(url, { method: "POST", body: latin }), 400, "bad_body");
      const long = " ".repeat(4_000_000) + "{}";
      await assertRefused(post(hub, room, long), 413, "body_too_large");
      const strange = { user: "ann", text: "hello", mood: "good" };
      await assertRefused(post(hub, room, strange), 400, "unknown_field");
      await assertRefused(post(hub, room, { text: "hello" }), 400, "bad_user");
      assertEquals(await page(hub, room), []);
    },
  },
  {
    id: "HTTP-5",
    async check(hub) {
      const room = anew("room");
      await using ann = await Member.join(hub, { room, user: "ann" });
      await ann.store("history");
      const reading = events(
        hub,
        `/rooms/${room}/events`,
        ({ event }) => event === "typing_status",
      );
      ann.type(true);
      const timer = setInterval(() => {
        ann.type(false);
        ann.type(true);
      }, 400);
      const found = await reading.finally(() => clearInterval(timer));
      const [message, joined] = found;
      assertEquals([message.event, message.id], ["chat_message", ann.messages[0].cursor]);
      assertEquals(JSON.parse(message.data!), ann.messages[0]);
      assertEquals([joined.event, joined.id], ["joined", ann.messages[0].cursor]);
      const { users, user } = JSON.parse(joined.data!);
      assertEquals([users, user, ann.presence], [["ann"], "", []]);
      assertEquals(JSON.parse(found.at(-1)!.data!).user, "ann");
    },
  },
  {
    id: "HTTP-6",
    async check(hub) {
      const room = anew("room");
      const all = await store(hub, room, 4);
      const path = `/rooms/${room}/events?after=${all[0].cursor}`;
      const textOf = ({ data }: StreamEvent) => JSON.parse(data!).text;
      const later = (await events(hub, path, isJoined)).slice(0, -1).map(textOf);
      assertEquals(later, ["2", "3", "4"]);
      const header = { "last-event-id": all[2].cursor };
      const found = await events(hub, path, isJoined, header);
      assertEquals(found.slice(0, -1).map(textOf), ["4"]);
      assert(Number(found.at(-1)!.retry) >= 3000);
      if (!hub.startStoppable) return;
      await using server = await hub.startStoppable();
      const reading = events({ ...hub, url: server.url }, `/rooms/${room}/events`, ({ event }) => {
        if (event === "joined") void server.stop();
        return event === "draining";
      });
      assert(Number((await reading).at(-1)!.retry) >= 3000);
      const isError = ({ event }: StreamEvent) => event === "error";
      await whileStopping(hub, async (stopping) => {
        const [refusal] = await events(stopping, `/rooms/${room}/events`, isError);
        assert(Number(refusal.retry) >= 3000);
        assertEquals(JSON.parse(refusal.data!).code, "draining");
      });
      await assertEndedSession(hub, room);
    },
  },
  {
    id: "HTTP-7",
    async check(hub) {
      const room = anew("room");
      const state = async () => await (await ask(`${hub.url}/rooms/${room}`)).json();
      const { cursor, ...rest } = await state();
      assertEquals(rest, { room, users: [], typing: [] });
      await using bob = await Member.join(hub, { room, user: "bob" });
      await using ann = await Member.join(hub, { room, user: "ann", version: 2 });
      const stored = await bob.store("hello");
      assert(cursor < stored.cursor);
      ann.type(true);
      await bob.socket.first("typing_status");
      const expected = { room, cursor: stored.cursor, users: ["ann", "bob"], typing: ["ann"] };
      assertEquals(await state(), expected);
    },
  },
  {
    id: "HTTP-8",
    async check(hub) {
      const health = await ask(`${hub.url}/health`);
      assertEquals([health.status, (await health.json()).status], [200, "ok"]);
      const metrics = await ask(`${hub.url}/metrics`);
      assertMatch(metrics.headers.get("content-type") ?? "", /^text\/plain/);
      assertMatch(await metrics.text(), /^# TYPE hubbub_\w+ (counter|gauge|histogram)$/m);
      await whileStopping(hub, async ({ url }) => {
        const stopping = await ask(`${url}/health`);
        assertEquals([stopping.status, (await stopping.json()).status], [503, "draining"]);
      });
    },
  },
  {
    id: "HTTP-9",
    async check(hub) {
      const room = anew("room");
      await assertRefused(ask(`${hub.url}/nowhere`), 404, "not_found");
      for (const path of [`/rooms/${room}`, `/rooms/${room}/messages`, "/health", "/metrics"]) {
        const response = ask(hub.url + path, { method: "PUT" });
        const headers = await assertRefused(response, 405, "method_not_allowed");
        assert(headers.get("allow")?.split(", ").includes("GET"), path);
      }
      const headers = { origin: "https://elsewhere.example" };
      await assertRefused(ask(`${hub.url}/rooms/${room}`, { headers }), 403, "forbidden");
      const own = { origin: new URL(hub.url).origin };
      const response = await ask(`${hub.url}/rooms/${room}`, { headers: own });
      assertEquals([response.status, (await response.json()).room], [200, room]);
    },
  },
  {
    id: "HTTP-10",
    async check(hub) {
      const headers = { origin: "https://elsewhere.example" };
      const response = await ask(`${hub.url}/client.js`, { headers });
      const text = await response.text();
      assertEquals(response.status, 200);
      assertMatch(response.headers.get("content-type") ?? "", /^text\/javascript\b/);
      assertEquals(response.headers.get("access-control-allow-origin"), "*");
      const { createClient } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
      assertEquals(typeof createClient, "function");
      const known = { "if-none-match": response.headers.get("etag")! };
      const again = await ask(`${hub.url}/client.js`, { headers: known });
      assertEquals([again.status, await again.text()], [304, ""]);
    },
  },
];
