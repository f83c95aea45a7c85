import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { Hub, KvRoomLog, type Member } from "@hubbub/hub";
import { openEventStream } from "../../src/connection/event_stream.ts";
import { EventReader, type ReadEvent } from "../helpers/event_reader.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { serveAlone, type TestServer } from "../helpers/test_server.ts";

const NETWORK = needs("net");

function texts(events: (ReadEvent | undefined)[]): string[] {
  return events.filter((event) => event?.event === "chat_message").map((event) => event!.data.text);
}

async function say(server: TestServer, ...texts: string[]): Promise<void> {
  for (const text of texts) await server.hub.publish("lobby", "ann", { text });
}

/** Resolves when the hub has the given number of readers and members in the lobby. */
async function untilGone(server: TestServer): Promise<void> {
  while (server.hub.roomCount > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("GET /rooms/{room}/events gives history, joined, then what is live", {
  ...NETWORK,
}, async () => {
  await using server = await serveAlone();
  await say(server, "one", "two", "a\nb\r\n\u2028c");
  await using reader = await EventReader.open(`${server.url}/rooms/lobby/events?history=2`);
  assertEquals(reader.response.status, 200);
  assertEquals(reader.response.headers.get("content-type"), "text/event-stream");
  const first = await reader.until("joined");
  assertEquals(texts(first), ["two", "a\nb\r\n\u2028c"]);
  const { cursor, user, users } = first[2].data;
  assertEquals({ user, users }, { user: "", users: [] });
  assertEquals(first.map(({ id }) => id), [first[0].data.cursor, cursor, cursor]);
  await say(server, "three");
  const live = await reader.next();
  assertEquals(live?.data.text, "three");
  assertEquals(live?.id, live?.data.cursor);
});

Deno.test("GET /rooms/{room}/events tells of people and typing, and is none of them", {
  ...NETWORK,
}, async () => {
  await using server = await serveAlone();
  await using reader = await EventReader.open(`${server.url}/rooms/lobby/events`);
  await reader.until("joined");
  await using other = await EventReader.open(`${server.url}/rooms/lobby/events`);
  await other.until("joined");
  assertEquals((await server.hub.roomState("lobby")).users, []);
  const frames: string[] = [];
  const ann: Member = {
    user: "ann",
    send: (frame) => void frames.push(...frame.envelopes),
    close: () => {},
  };
  const subscription = server.hub.join("lobby", ann);
  assertEquals(JSON.parse(frames[0]).payload.users, ["ann"]);
  subscription.typing(true);
  subscription.leave();
  const heard = [
    await reader.next(),
    await reader.next(),
    await reader.next(),
    await reader.next(),
  ];
  assertEquals(heard.map((event) => [event?.event, event?.data, event?.id]), [
    ["presence", { user: "ann", status: "joined" }, undefined],
    ["typing_status", { user: "ann", status: true }, undefined],
    ["typing_status", { user: "ann", status: false }, undefined],
    ["presence", { user: "ann", status: "left" }, undefined],
  ]);
});

Deno.test("Last-Event-ID resumes without a gap and without a double, also from an empty room", {
  ...NETWORK,
}, async () => {
  await using server = await serveAlone();
  const url = `${server.url}/rooms/lobby/events?history=3`;
  const seen: string[] = [];
  let last = "";
  let said = 0;
  for (let round = 0; round < 12; round++) {
    await using reader = await EventReader.open(url, last === "" ? {} : { "last-event-id": last });
    for (const event of await reader.until("joined")) {
      if (event.event === "chat_message") seen.push(event.data.text);
      last = event.id ?? last;
    }
    // Some while it listens, and more than any history while it does not.
    for (let i = 0; i < round; i++) {
      await say(server, String(said++));
      const event = await reader.next();
      seen.push(event?.data.text);
      last = event?.id ?? last;
    }
    for (let i = 0; i < 40; i++) await say(server, String(said++));
  }
  await using reader = await EventReader.open(url, { "last-event-id": last });
  seen.push(...texts(await reader.until("joined")));
  assertEquals(seen, Array.from({ length: said }, (_, i) => String(i)));
});

Deno.test("Last-Event-ID is newer than after in the query, which resumes too", {
  ...NETWORK,
}, async () => {
  await using server = await serveAlone();
  await say(server, "one", "two", "three");
  const url = `${server.url}/rooms/lobby/events`;
  await using reader = await EventReader.open(url);
  const [one, two] = await reader.until("joined");
  await using byQuery = await EventReader.open(`${url}?after=${one.id}`);
  assertEquals(texts(await byQuery.until("joined")), ["two", "three"]);
  await using byHeader = await EventReader.open(`${url}?after=${one.id}`, {
    "last-event-id": two.id!,
  });
  const [three, joined] = await byHeader.until("joined");
  assertEquals([three.data.text, joined.data.recovered], ["three", true]);
  await using lost = await EventReader.open(`${url}?history=1`, { "last-event-id": "nonsense" });
  const events = await lost.until("joined");
  assertEquals([texts(events), events[1].data.recovered], [["three"], false]);
});

Deno.test("a reader whose session has ended may come back, and a newcomer without one may not", {
  ...NETWORK,
}, async () => {
  let isLoggedIn = true;
  const authorize = () => isLoggedIn ? { user: "ann" } : { denied: "Please log in" };
  await using server = await serveAlone({ authorize });
  await say(server, "one");
  const url = `${server.url}/rooms/lobby/events`;
  await using reader = await EventReader.open(url);
  const [{ id }] = await reader.until("joined");
  isLoggedIn = false;
  const newcomer = await fetch(url);
  assertEquals([newcomer.status, (await newcomer.json()).error.code], [401, "unauthorized"]);
  const headers = { "last-event-id": id! };
  await using refused = await EventReader.open(url, headers);
  assertEquals(refused.response.status, 200);
  const event = await refused.next();
  assertEquals([event?.event, event?.data.code], ["error", "unauthorized"]);
  assertGreaterOrEqual(Number(event?.retry), 10_000);
  assertEquals(await refused.next(), undefined);
  // Nobody else is spared the status.
  const messages = await fetch(`${server.url}/rooms/lobby/messages`, { headers });
  assertEquals([messages.status, (await messages.json()).error.code], [401, "unauthorized"]);
  const refusals = server.events.filter(({ event }) => event === "access_refused");
  assertEquals(refusals.length, 3);
  isLoggedIn = true;
  await say(server, "two");
  await using again = await EventReader.open(url, headers);
  assertEquals(texts(await again.until("joined")), ["two"]);
});

Deno.test("a drain ends the stream of events cleanly and says when to come back", {
  ...NETWORK,
}, async () => {
  await using server = await serveAlone();
  await using reader = await EventReader.open(`${server.url}/rooms/lobby/events`);
  await reader.until("joined");
  await server.stop();
  const event = await reader.next();
  assertEquals(event?.event, "draining");
  assertEquals(event?.retry, String(3_000 + event?.data.reconnect_after_ms));
  assertEquals(await reader.next(), undefined);
  assertEquals(server.events, []);
});

Deno.test("a reader of events that goes away leaves the room, and HEAD never enters it", {
  ...NETWORK,
}, async () => {
  await using server = await serveAlone();
  const url = `${server.url}/rooms/lobby/events`;
  {
    await using reader = await EventReader.open(url);
    await reader.until("joined");
    assertEquals(server.hub.roomCount, 1);
  }
  await untilGone(server);
  const head = await fetch(url, { method: "HEAD" });
  assertEquals([head.status, server.hub.roomCount], [200, 0]);
  const { connections } = await (await fetch(`${server.url}/health`)).json();
  assertEquals(connections, 0);
});

Deno.test("a reader of events that does not read is cut off, the others are not", {
  ...NETWORK,
}, async () => {
  await using server = await serveAlone();
  using stuck = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const request = "GET /rooms/lobby/events HTTP/1.1\r\nhost: test\r\n\r\n";
  await stuck.write(new TextEncoder().encode(request));
  await using reader = await EventReader.open(`${server.url}/rooms/lobby/events`);
  await reader.until("joined");
  const text = "x".repeat(4000);
  let rounds = 0;
  // The kernel takes some megabytes for the one that is stuck before the hub has to hold any.
  while (server.hub.metrics.membersTooSlow === 0) {
    assertLess(rounds++, 200);
    await Promise.all(
      Array.from({ length: 50 }, () => server.hub.publish("lobby", "ann", { text })),
    );
    for (let i = 0; i < 50; i++) assertEquals((await reader.next())?.data.text, text);
  }
  await say(server, "still here");
  assertEquals((await reader.next())?.data.text, "still here");
  assertEquals(server.hub.metrics.membersTooSlow, 1);
  assertEquals((await (await fetch(`${server.url}/health`)).json()).connections, 1);
});

Deno.test("openEvents() replays a long log page by page to a reader that takes it late", async () => {
  using kv = await Deno.openKv(":memory:");
  const hub = new Hub(new KvRoomLog(kv), { alone: true, logger: () => {} });
  const ids: string[] = [];
  for (let i = 0; i < 700; i++) {
    const outcome = await hub.publish("lobby", "ann", { text: `${i} ${"x".repeat(1000)}` });
    assert(outcome.status === "stored");
    ids.push(outcome.record.cursor);
  }
  // A page is more than the limit: only a replay that waits for the reader gets through.
  const { body } = openEventStream({
    services: { hub },
    room: "lobby",
    after: ids[0],
    hardLimitBytes: 300_000,
  });
  let text = "";
  for await (const part of body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes("event:joined")) break;
  }
  const seen = [...text.matchAll(/^id:(\S+)$/gm)].map(([, id]) => id);
  assertEquals(seen, [...ids.slice(1), ids.at(-1)]);
  assertEquals(hub.metrics.membersTooSlow, 0);
  await hub.drain();
});

Deno.test("a member without a user is told that it cannot send, and never types", async () => {
  using kv = await Deno.openKv(":memory:");
  const hub = new Hub(new KvRoomLog(kv), { alone: true, logger: () => {} });
  const frames: string[] = [];
  const subscription = hub.join("lobby", {
    send: (frame) => void frames.push(...frame.envelopes),
    close: () => {},
  });
  await subscription.joined;
  subscription.typing(true);
  subscription.publish({ text: "hello", ref: "1" });
  const { type, payload } = JSON.parse(frames[1]);
  assertEquals([frames.length, type, payload.code, payload.ref], [2, "error", "bad_user", "1"]);
  const { users, typing } = await hub.roomState("lobby");
  assertEquals([users, typing, (await hub.log.last("lobby", { limit: 1 })).length], [[], [], 0]);
  await hub.drain();
});

Deno.test("openEvents() sends a comment now and then", async () => {
  using kv = await Deno.openKv(":memory:");
  const hub = new Hub(new KvRoomLog(kv), { alone: true, logger: () => {} });
  let ends = 0;
  const onEnd = () => void ends++;
  const { body } = openEventStream({ services: { hub }, room: "lobby", heartbeatMs: 10, onEnd });
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.endsWith("\n\n:\n\n:\n\n")) text += (await reader.read()).value;
  await reader.cancel();
  await reader.cancel();
  assertEquals(ends, 1);
  // What is still being read of the window keeps the room until then.
  await eventually(() => hub.roomCount === 0, "the room to leave memory");
});
