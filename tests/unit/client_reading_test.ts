import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChatError } from "@hubbub/hub/client";
import type { Message } from "@hubbub/hub/protocol";
import {
  chat,
  cursor,
  message,
  presence,
  settle,
  start,
  typing,
  waiting,
} from "../helpers/fake_socket.ts";
import { received } from "../helpers/received.ts";

const numbers = (messages: readonly { readonly cursor: string }[]) =>
  messages.map(({ cursor }) => Number(cursor));

const UNREAD = "What was missed could not be read";

/** A server's log over HTTP: answers as `GET /rooms/{room}/messages` does. */
function archive(log: Message[], options: { isCursor?: (cursor: string) => boolean } = {}) {
  const queries: string[] = [];
  const fetch = (input: string | URL | Request) => {
    const { search, searchParams } = new URL(String(input));
    queries.push(search);
    const [before, after] = [searchParams.get("before"), searchParams.get("after")];
    const limit = Number(searchParams.get("limit"));
    for (const cursor of [before, after]) {
      if (cursor === null || options.isCursor?.(cursor) !== false) continue;
      const error = { code: "bad_cursor", message: "It is none" };
      return Promise.resolve(Response.json({ error }, { status: 400 }));
    }
    const messages = after !== null
      ? log.filter(({ cursor }) => cursor > after).slice(0, limit)
      : log.filter(({ cursor }) => before === null || cursor < before).slice(-limit);
    return Promise.resolve(Response.json({ messages }));
  };
  return { queries, fetch };
}

function range(from: number, to: number): Message[] {
  return Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
}

Deno.test("ChatConnection hands each message on once, its cursor moved already", async () => {
  using test = await start();
  const seen: [string, string | undefined][] = [];
  test.ann.addEventListener("message", ({ detail }) => seen.push([detail.cursor, test.ann.cursor]));
  test.socket.welcome();
  test.socket.say(chat(1), chat(2));
  test.socket.join({ cursor: cursor(2) });
  test.socket.say(chat(2), chat(1), chat(4), chat(3), chat(4), chat(5));
  assertEquals(seen, [1, 2, 4, 5].map((number) => [cursor(number), cursor(number)]));
});

Deno.test("ChatConnection resumes an empty room from where it joined", async () => {
  using test = await start();
  test.socket.join({ cursor: cursor(7) });
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  assertEquals(test.socket.asked.after, cursor(7));
});

Deno.test("ChatConnection hands nothing on once it is closed, and its cursor stays", async () => {
  using test = await start();
  const messages = received(test.ann);
  test.ann.addEventListener("message", ({ detail }) => {
    if (detail.cursor === cursor(2)) test.ann.close();
  });
  test.socket.join();
  test.socket.say(chat(1), chat(2), chat(3));
  assertEquals(numbers(messages), [1, 2]);
  assertEquals(test.ann.cursor, cursor(2));
});

Deno.test("ChatConnection reads by HTTP what a resumed connection could not bring", async () => {
  const log = range(1, 250);
  const { fetch, queries } = archive(log);
  using test = await start({ fetch, after: cursor(5) });
  const order: (string | number)[] = [];
  test.ann.addEventListener("message", ({ detail }) => order.push(Number(detail.cursor)));
  test.ann.addEventListener("joined", ({ detail }) => order.push(`recovered ${detail.recovered}`));
  test.socket.join({ recovered: false, cursor: cursor(250) });
  // Live meanwhile: has to wait for what came before it.
  test.socket.say(chat(251), chat(252));
  assertEquals(order, []);
  assertEquals(test.ann.state.status, "connecting");
  await settle();
  const expected = range(6, 250).map(({ cursor }) => Number(cursor));
  assertEquals(order, [...expected, "recovered true", 251, 252]);
  assertEquals(test.ann.state.status, "live");
  assertEquals(queries.length, 4);
});

Deno.test("ChatConnection keeps a bounded number of live messages while it reads", async () => {
  const log = range(1, 10);
  const { fetch, queries } = archive(log);
  using test = await start({ fetch, after: cursor(5) });
  const messages = received(test.ann);
  test.socket.join({ recovered: false, cursor: cursor(10) });
  for (let number = 11; number <= 2_500; number++) {
    log.push(message(number));
    test.socket.say(chat(number));
  }
  while (messages.length < 2_495) await settle();
  assertEquals(numbers(messages), numbers(range(6, 2_500)));
  // The newest were kept: they did not have to be read.
  assertEquals(queries.at(-1), `?after=${cursor(2_005)}&limit=100`);
});

Deno.test("ChatConnection tells of a gap where the log begins too late", async () => {
  using test = await start({ fetch: archive(range(50, 60)).fetch, after: cursor(5) });
  const recovered: boolean[] = [];
  const messages = received(test.ann);
  test.ann.addEventListener("joined", ({ detail }) => recovered.push(detail.recovered));
  test.socket.join({ recovered: false, cursor: cursor(60) });
  await settle();
  assertEquals(numbers(messages), numbers(range(50, 60)));
  assertEquals(recovered, [false]);
});

Deno.test("ChatConnection begins anew where its cursor is of another log", async () => {
  for (const after of [cursor(900), "!"]) {
    const { fetch } = archive(range(1, 60), { isCursor: (cursor) => cursor !== "!" });
    using test = await start({ fetch, after, history: 4 });
    const recovered: boolean[] = [];
    const messages = received(test.ann);
    test.ann.addEventListener("joined", ({ detail }) => recovered.push(detail.recovered));
    test.socket.join({ recovered: false, cursor: cursor(60) });
    await settle();
    test.socket.say(chat(60), chat(61));
    assertEquals(numbers(messages), [57, 58, 59, 60, 61]);
    assertEquals(recovered, [false]);
  }
});

Deno.test("ChatConnection does without what cannot be read for a minute, on many connections", async () => {
  using test = await start({ after: cursor(5), reconnect: { maxDelayMs: 1_000 } });
  const messages = received(test.ann);
  let tries = 0;
  for (let seconds = 0; test.ann.state.status !== "live"; seconds++) {
    assert(seconds < 70, "it never does without");
    test.socket.join({ recovered: false, cursor: cursor(60) });
    test.socket.say(chat(61));
    await settle();
    if (seconds < 60) assertEquals(waiting(test.ann.state).reason, UNREAD);
    tries++;
    await test.tick(1_000);
  }
  assert(tries >= 60);
  assertEquals(numbers(messages), [61]);
});

Deno.test("ChatConnection loses nothing while a gateway stands in for the server for half a minute", async () => {
  const { fetch: read } = archive(range(1, 20));
  let isBroken = true;
  const fetch = (input: string | URL | Request) =>
    isBroken
      ? Promise.resolve(Response.json({ error: { code: "X", message: "y" } }, { status: 502 }))
      : read(input);
  using test = await start({ after: cursor(5), fetch, reconnect: { maxDelayMs: 1_000 } });
  const messages = received(test.ann);
  const recovered: boolean[] = [];
  test.ann.addEventListener("joined", ({ detail }) => recovered.push(detail.recovered));
  for (let seconds = 0; seconds < 30; seconds++) {
    test.socket.join({ recovered: false, cursor: cursor(20) });
    await settle();
    assertEquals(waiting(test.ann.state).reason, UNREAD);
    await test.tick(1_000);
  }
  isBroken = false;
  test.socket.join({ recovered: false, cursor: cursor(20) });
  await settle();
  assertEquals(numbers(messages), numbers(range(6, 20)));
  assertEquals(recovered, [true]);
});

Deno.test("ChatConnection stops reading what was missed when it is cut off, and goes on later", async () => {
  const access = Promise.withResolvers<void>();
  const { fetch: read } = archive(range(1, 20));
  const fetch = async (input: string | URL | Request) => {
    await access.promise;
    return await read(input);
  };
  using test = await start({ fetch, after: cursor(5) });
  const messages = received(test.ann);
  test.socket.join({ recovered: false, cursor: cursor(20) });
  test.socket.end(1006);
  access.resolve();
  await settle();
  assertEquals(numbers(messages), []);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  assertEquals(test.socket.asked.after, cursor(5));
  test.socket.join({ recovered: false, cursor: cursor(20) });
  await settle();
  assertEquals(numbers(messages), numbers(range(6, 20)));
});

Deno.test("ChatConnection.loadOlder() leaves to the connection what is about to come", async () => {
  using test = await start({ fetch: archive(range(1, 30)).fetch, history: 0 });
  test.socket.join({ cursor: cursor(20) });
  assertEquals(numbers(await test.ann.loadOlder(8)), [15, 16, 17, 18, 19, 20]);
  assertEquals(numbers(await test.ann.loadOlder(8)), numbers(range(7, 14)));
});

Deno.test("ChatConnection.loadOlder() tells when the server cannot be reached", async () => {
  using test = await start();
  test.socket.join();
  const error = await assertRejects(() => test.ann.loadOlder(), ChatError, "offline");
  assertEquals([error.code, error.temporary], ["unreachable", true]);
  await assertRejects(() => test.ann.loadOlder(0), RangeError, "0");
});

Deno.test("ChatConnection knows who is there and who is typing", async () => {
  using test = await start();
  test.socket.join({ users: ["ann", "cy"], typing: ["cy"] });
  assertEquals([test.ann.users, test.ann.typingUsers], [["ann", "cy"], ["cy"]]);
  test.socket.say(presence(["bob"]));
  test.socket.say(typing("bob", true));
  assertEquals([test.ann.users, test.ann.typingUsers], [["ann", "bob", "cy"], ["bob", "cy"]]);
  test.socket.say(typing("cy", false));
  test.socket.say(presence([], ["cy"]));
  assertEquals([test.ann.users, test.ann.typingUsers], [["ann", "bob"], ["bob"]]);
  test.socket.end(1006);
  assertEquals([test.ann.users, test.ann.typingUsers], [["ann", "bob"], []]);
});
