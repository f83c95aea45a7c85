import { mock } from "node:test";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ChatError, type Limits } from "@hubbub/hub/client";
import { chat, cursor, refusal, settle, start } from "../helpers/fake_socket.ts";

const own = (number: number, ref: string) => chat(number, { user: "ann", ref });

/** What a server allows. */
function limits(
  messages_per_second: number,
  message_burst: number,
  text_max_bytes = 100,
): { limits: Limits } {
  const limits = { messages_per_second, message_burst, text_max_bytes, typing_timeout_ms: 3000 };
  return { limits };
}

Deno.test("ChatConnection.send() waits while there is no connection, and keeps the order", async () => {
  using test = await start();
  const first = test.ann.send("first", { ref: "1" });
  const second = test.ann.send("second");
  test.socket.welcome();
  assertEquals(test.socket.frames, []);
  test.socket.join();
  await test.tick(0);
  // What waits goes out in one frame.
  assertEquals(test.socket.frames.length, 1);
  const [, { text, ref }] = test.socket.sent("chat_message");
  assertEquals(text, "second");
  test.socket.say(own(1, "1"), own(2, String(ref)));
  assertEquals([(await first).cursor, (await second).cursor], [cursor(1), cursor(2)]);
});

Deno.test("ChatConnection.send() sends again what was not acknowledged, with its ref", async () => {
  using test = await start();
  test.socket.join();
  const sent = ["1", "2", "3"].map((ref) => test.ann.send(`text ${ref}`, { ref }));
  await test.tick(0);
  test.socket.say(own(1, "1"));
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  // It was stored, and its acknowledgement comes with what was missed.
  test.socket.say(own(2, "2"));
  test.socket.join({ cursor: cursor(2) });
  await test.tick(0);
  assertEquals(test.socket.sent("chat_message"), [{ text: "text 3", ref: "3" }]);
  test.socket.say(own(3, "3"));
  assertEquals((await Promise.all(sent)).map(({ cursor }) => cursor), [1, 2, 3].map(cursor));
});

Deno.test("ChatConnection.send() takes the first message's answer for a repeat", async () => {
  using test = await start({ after: cursor(9) });
  test.socket.join({ cursor: cursor(9) });
  const sent = test.ann.send("again", { ref: "old" });
  test.socket.say(own(3, "old"));
  assertEquals((await sent).cursor, cursor(3));
  // It was handed on long ago.
  assertEquals(test.ann.cursor, cursor(9));
});

Deno.test("ChatConnection.send() takes nobody else's message for its own", async () => {
  using test = await start();
  test.socket.join();
  let isSettled = false;
  test.ann.send("mine", { ref: "1" }).then(() => isSettled = true);
  test.socket.say(chat(1, { user: "bob", ref: "1" }));
  await test.tick(0);
  assert(!isSettled);
  test.socket.say(own(2, "1"));
  await test.tick(0);
  assert(isSettled);
});

Deno.test("ChatConnection.send() refuses what is over the limit of the queue", async () => {
  using test = await start({ queueLimit: 2 });
  const first = test.ann.send("1", { ref: "1" });
  test.ann.send("2", { ref: "2" });
  const error = await assertRejects(() => test.ann.send("3"), ChatError, "2 messages");
  assertEquals([error.code, error.temporary], ["queue_full", true]);
  test.socket.join();
  test.socket.say(own(1, "1"));
  await first;
  test.ann.send("4", { ref: "4" });
  await test.tick(0);
  assertEquals(test.socket.sent("chat_message").map(({ text }) => text), ["2", "4"]);
});

Deno.test("ChatConnection.send() refuses at once what the server would refuse", async () => {
  using test = await start();
  test.socket.join();
  const cases = [["", "bad_text"], ["x".repeat(101), "text_too_long"], ["\ud800", "bad_text"]];
  for (const [text, code] of cases) {
    const error = await assertRejects(() => test.ann.send(text), ChatError);
    assertEquals([error.code, error.temporary], [code, false]);
  }
  const error = await assertRejects(() => test.ann.send("x", { ref: "" }), ChatError);
  assertEquals(error.code, "bad_ref");
  await test.tick(0);
  assertEquals(test.socket.frames, []);
});

Deno.test("ChatConnection.send() refuses what waited when it turns out to be too long", async () => {
  using test = await start();
  const tooLong = test.ann.send("x".repeat(50_000), { ref: "1" });
  test.ann.send("x".repeat(100), { ref: "2" });
  test.socket.join();
  const error = await assertRejects(() => tooLong, ChatError, "100 bytes");
  assertEquals(error.code, "text_too_long");
  await test.tick(0);
  assertEquals(test.socket.sent("chat_message").map(({ ref }) => ref), ["2"]);
});

Deno.test("ChatConnection.send() splits what waits into frames that a server reads", async () => {
  using test = await start();
  for (let number = 0; number < 50; number++) test.ann.send("x".repeat(4000));
  test.socket.join(limits(0, 0, 4096));
  await test.tick(0);
  assertEquals(test.socket.sent("chat_message").length, 50);
  assertEquals(test.socket.frames.map((frame) => frame.length), [16, 16, 16, 2]);
});

Deno.test("ChatConnection.send() gives up on its signal, sent or not", async () => {
  using test = await start();
  const [waiting, inFlight] = [new AbortController(), new AbortController()];
  const first = test.ann.send("1", { ref: "1", signal: waiting.signal });
  const second = test.ann.send("2", { ref: "2", signal: inFlight.signal });
  waiting.abort(new Error("never mind"));
  await assertRejects(() => first, Error, "never mind");
  await assertRejects(() => test.ann.send("3", { signal: waiting.signal }), Error, "never mind");
  test.socket.join();
  await test.tick(0);
  inFlight.abort(new Error("too late"));
  await assertRejects(() => second, Error, "too late");
  assertEquals(test.socket.sent("chat_message").map(({ text }) => text), ["2"]);
  test.socket.end(1006);
  await test.tick(500);
  test.socket.join();
  await test.tick(0);
  assertEquals(test.socket.sent("chat_message"), []);
});

Deno.test("ChatConnection.send() is one message while its ref waits", async () => {
  using test = await start();
  const first = test.ann.send("hello", { ref: "1" });
  const second = test.ann.send("hello", { ref: "1" });
  test.socket.join();
  await test.tick(0);
  assertEquals(test.socket.sent("chat_message").length, 1);
  test.socket.say(own(1, "1"));
  assertEquals(await first, await second);
});

Deno.test("ChatConnection.send() rejects what the server refuses for good", async () => {
  using test = await start();
  test.socket.join();
  const problems: string[] = [];
  test.ann.addEventListener("problem", ({ detail }) => problems.push(detail.code));
  const sent = test.ann.send("hello", { ref: "1" });
  await test.tick(0);
  const message = "Too long";
  test.socket.say(refusal("text_too_long", message, { ref: "1" }));
  const error = await assertRejects(() => sent, ChatError, "Too long");
  assertEquals([error.code, error.temporary], ["text_too_long", false]);
  assertEquals(problems, ["text_too_long"]);
});

Deno.test("ChatConnection.send() waits as long as rate_limited says, and with it all that follow", async () => {
  using test = await start();
  test.socket.join();
  const first = test.ann.send("1", { ref: "1" });
  await test.tick(0);
  test.socket.say(refusal("rate_limited", "Wait", { ref: "1", retry_after_ms: 1000 }));
  test.ann.send("2", { ref: "2" });
  await test.tick(999);
  assertEquals(test.socket.sent("chat_message").map(({ text }) => text), ["1"]);
  await test.tick(200);
  assertEquals(test.socket.sent("chat_message").map(({ text }) => text), ["1", "1", "2"]);
  test.socket.say(own(1, "1"));
  assertEquals((await first).ref, "1");
});

Deno.test("ChatConnection.send() waits on a new connection for nothing that the last one asked for", async () => {
  using test = await start();
  test.socket.join();
  void test.ann.send("1", { ref: "1" }).catch(() => {});
  await test.tick(0);
  test.socket.say(refusal("not_stored", "Wait", { ref: "1", retry_after_ms: 20_000 }));
  test.socket.end(1006);
  await test.tick(500);
  test.socket.join();
  await test.tick(0);
  assertEquals(test.socket.sent("chat_message").map(({ text }) => text), ["1"]);
});

Deno.test("ChatConnection.send() tries again, ever later, while the server cannot store", async () => {
  const random = mock.method(Math, "random", () => 0.999);
  using test = await start({ quietMs: 1e6 });
  test.socket.join();
  const sent = test.ann.send("1", { ref: "1" });
  await test.tick(0);
  for (const waitMs of [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
    const tries = test.socket.sent("chat_message").length;
    test.socket.say(refusal("not_stored", "No", { ref: "1" }));
    await test.tick(0.9 * waitMs);
    assertEquals(test.socket.sent("chat_message").length, tries);
    await test.tick(0.1 * waitMs);
    assertEquals(test.socket.sent("chat_message").length, tries + 1);
  }
  test.socket.say(own(1, "1"));
  assertEquals((await sent).ref, "1");
  random.mock.restore();
});

Deno.test("ChatConnection.send() keeps fewer in flight than the server remembers refs of", async () => {
  using test = await start();
  const sent = Array.from({ length: 200 }, (_, number) => test.ann.send("x", { ref: `${number}` }));
  test.socket.join();
  await test.tick(0);
  assertEquals(test.socket.sent("chat_message").length, 128);
  for (let number = 0; number < 50; number++) test.socket.say(own(number + 1, `${number}`));
  await test.tick(0);
  assertEquals(test.socket.sent("chat_message").length, 178);
  for (let number = 50; number < 200; number++) test.socket.say(own(number + 1, `${number}`));
  await Promise.all(sent);
});

Deno.test("ChatConnection.send() keeps to the server's rate by itself", async () => {
  using test = await start({ quietMs: 1e6 });
  test.socket.join(limits(10, 4));
  for (let number = 0; number < 30; number++) test.ann.send("x", { ref: `${number}` });
  let answered = 0;
  const answer = async () => {
    await test.tick(0);
    for (const { ref } of test.socket.sent("chat_message").slice(answered)) {
      test.socket.say(own(++answered, String(ref)));
    }
    await test.tick(0);
  };
  for (let round = 0; round < 6; round++) await answer();
  // Half of what the server allows at once: the rest is for what the network bunches up.
  assertEquals(answered, 2);
  for (let second = 0; second < 2; second++) {
    for (let tenth = 0; tenth < 10; tenth++) {
      await test.tick(100);
      await answer();
    }
  }
  // Ten a second, and a little less so that it is never refused.
  assert(answered > 18 && answered <= 22, `${answered}`);
});

Deno.test("ChatConnection.typing() tells the first key at once, then one every 1.5 s, and the end", async () => {
  using test = await start();
  const told = async () => {
    await settle();
    return test.socket.sent("typing_status").map(({ status }) => status);
  };
  test.ann.typing();
  test.socket.join();
  assertEquals(await told(), []);
  test.ann.typing();
  assertEquals(await told(), [true]);
  for (let ms = 0; ms < 1_400; ms += 100) {
    await test.tick(100);
    test.ann.typing();
  }
  assertEquals(await told(), [true]);
  await test.tick(100);
  test.ann.typing();
  assertEquals(await told(), [true, true]);
  test.ann.typing(false);
  test.ann.typing(false);
  assertEquals(await told(), [true, true, false]);
  test.ann.typing();
  assertEquals(await told(), [true, true, false, true]);
  // A message ends typing: the next key is a first one.
  test.ann.send("done");
  test.ann.typing();
  assertEquals(await told(), [true, true, false, true, true]);
});

Deno.test("ChatConnection.send() draws refs that nobody can guess", async () => {
  using test = await start();
  test.socket.join();
  const count = 1_000;
  for (let number = 0; number < count; number++) void test.ann.send("x").catch(() => {});
  await test.tick(0);
  const refs: string[] = [];
  for (let number = 1; refs.length < count; number++) {
    for (const { ref } of test.socket.sent("chat_message").slice(refs.length)) {
      refs.push(String(ref));
      test.socket.say(own(refs.length, String(ref)));
    }
    await test.tick(0);
  }
  assertEquals(new Set(refs).size, count);
  for (const ref of refs) assertMatch(ref, /^[A-Za-z0-9_-]{22}$/);
  // All 128 bits vary, and no ref tells anything of the next: a counter would keep most of them.
  const alike = (one: string, other: string) =>
    [...one].filter((letter, index) => letter === other[index]).length;
  for (let number = 1; number < count; number++) assert(alike(refs[number - 1], refs[number]) < 11);
});

Deno.test("ChatConnection.send() takes the answer of a server that changes texts", async () => {
  using test = await start();
  test.socket.join();
  const sent = test.ann.send("a rude word", { ref: "1" });
  test.socket.say(chat(1, { user: "ann", ref: "1", text: "a **** word" }));
  assertEquals((await sent).text, "a **** word");
});

Deno.test("ChatConnection.send() swallows no other message of the same ref", async () => {
  using test = await start();
  const lunch = test.ann.send("lunch?", { ref: "1" });
  const error = await assertRejects(() => test.ann.send("I quit", { ref: "1" }), ChatError);
  assertEquals([error.code, error.temporary], ["ref_reused", false]);
  test.socket.join();
  test.socket.say(own(1, "1"));
  assertEquals((await lunch).ref, "1");
});

Deno.test("ChatConnection.send() refuses what no frame holds, however the server counts bytes", async () => {
  using test = await start();
  test.socket.join(limits(0, 0, 60_000));
  // Each is one byte, and six characters as JSON.
  const error = await assertRejects(
    () => test.ann.send("\u0001".repeat(20_000) + "x"),
    ChatError,
    "frame",
  );
  assertEquals([error.code, error.temporary], ["text_too_long", false]);
});

Deno.test("ChatConnection.send() does not try for ever after errors that it does not know", async () => {
  using test = await start({ quietMs: 1e6 });
  test.socket.join();
  const sent = test.ann.send("hello", { ref: "1" });
  sent.catch(() => {});
  await test.tick(0);
  for (let tries = 1; tries <= 6; tries++) {
    assertEquals(test.socket.sent("chat_message").length, tries);
    test.socket.say(refusal("on_strike", "Not today", { ref: "1" }));
    await test.tick(10_000);
  }
  const error = await assertRejects(() => sent, ChatError, "Not today");
  assertEquals(error.temporary, true);
  assertEquals(test.socket.sent("chat_message").length, 6);
});
