import { mock } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ChatError, connect, type ConnectOptions } from "@hubbub/hub/client";
import { chat, cursor, refusal, settle, start, waiting } from "../helpers/fake_socket.ts";

const never = new Promise<never>(() => {});

/** Sets the wall clock by some milliseconds, for good. */
function step(ms: number) {
  const { now } = Date;
  return mock.method(Date, "now", () => now() + ms);
}

for (
  const retryAfter of [
    "3600",
    "2592000",
    "99999999999999999999",
    "1e9",
    "-5",
    "soon",
    "",
    "Infinity",
    "Fri, 27 Nov 2026 00:00:00 GMT",
    "Sat, 01 Jan 2000 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
  ]
) {
  Deno.test(`ChatConnection waits no longer than maxDelayMs for Retry-After: ${retryAfter}`, async () => {
    const headers = { "retry-after": retryAfter, date: "Thu, 26 Nov 2026 00:00:00 GMT" };
    const fetch = () => Promise.resolve(new Response("Wait", { status: 503, headers }));
    using test = await start({ fetch, reconnect: { maxDelayMs: 20_000 } });
    for (let tries = 1; tries <= 5; tries++) {
      test.socket.end(1006);
      await settle();
      const { retryInMs } = waiting(test.ann.state);
      assert(retryInMs >= 0 && retryInMs <= 20_000, `${retryInMs}`);
      await test.tick(retryInMs);
      assertEquals(test.sockets.length, tries + 1);
    }
  });
}

Deno.test("ChatConnection waits for a date by the clock of the answer", async () => {
  const headers = {
    "retry-after": "Thu, 26 Nov 2026 00:00:07 GMT",
    date: "Thu, 26 Nov 2026 00:00:00 GMT",
  };
  const fetch = () => Promise.resolve(new Response("Wait", { status: 503, headers }));
  using test = await start({ fetch });
  test.socket.end(1006);
  await settle();
  const { retryInMs } = waiting(test.ann.state);
  assert(retryInMs >= 7_000 && retryInMs < 7_500, `${retryInMs}`);
});

Deno.test("ChatConnection bounds what a draining server asks for", async () => {
  for (const ms of [1e12, 2 ** 31, -1, NaN, "7", null, undefined] as number[]) {
    using test = await start();
    test.socket.join();
    test.socket.say({ type: "draining", payload: { reconnect_after_ms: ms } });
    test.socket.end(4000);
    const { retryInMs } = waiting(test.ann.state);
    assert(retryInMs >= 0 && retryInMs <= 30_000, `${ms}: ${retryInMs}`);
    await test.tick(retryInMs);
    assertEquals(test.sockets.length, 2);
  }
});

Deno.test("ChatConnection.send() bounds what a refusal asks for", async () => {
  for (const retry_after_ms of [1e12, 2 ** 31, -1, "7", null] as number[]) {
    using test = await start({ quietMs: 1e6, reconnect: { maxDelayMs: 5_000 } });
    test.socket.join();
    const sent = test.ann.send("hello", { ref: "1" });
    await test.tick(0);
    test.socket.say(refusal("rate_limited", "Wait", { ref: "1", retry_after_ms }));
    await test.tick(5_000);
    assertEquals(test.socket.sent("chat_message").length, 2, `${retry_after_ms}`);
    test.socket.say(chat(1, { user: "ann", ref: "1" }));
    await sent;
  }
});

Deno.test("ChatConnection.send() lives with limits that no timer holds", async () => {
  using test = await start({ quietMs: 1e9 });
  const limits = {
    text_max_bytes: 100,
    typing_timeout_ms: 3000,
    messages_per_second: 1e-9,
    message_burst: 1,
  };
  const timers: number[] = [];
  const { setTimeout } = globalThis;
  const spy = mock.method(globalThis, "setTimeout", (run: () => void, ms: number) => {
    timers.push(ms);
    return setTimeout(run, ms);
  });
  test.socket.join({ limits });
  const all = ["1", "2"].map((ref) => test.ann.send(ref, { ref }).catch(() => {}));
  await test.tick(0);
  test.socket.say(chat(1, { user: "ann", ref: "1" }));
  await test.tick(10_000);
  spy.mock.restore();
  assertEquals(test.socket.sent("chat_message").length, 1);
  assert(timers.length < 10, `${timers.length} timers`);
  for (const ms of timers) assert(ms < 2 ** 31, `${ms}`);
  test.ann.close();
  await Promise.all(all);
});

Deno.test("connect() refuses durations that are none, and bounds those that no timer holds", async () => {
  const attempt = (options: Partial<ConnectOptions>) => () =>
    connect("http://chat.test", { room: "lobby", user: "ann", ...options });
  for (const ms of [NaN, 0, -1, 0.5, -Infinity]) {
    assertThrows(attempt({ quietMs: ms }), RangeError, "quietMs");
    assertThrows(attempt({ reconnect: { minDelayMs: ms } }), RangeError, "minDelayMs");
    assertThrows(attempt({ reconnect: { maxDelayMs: ms } }), RangeError, "maxDelayMs");
  }
  assertThrows(attempt({ quietMs: "20" as unknown as number }), TypeError, "quietMs");
  const wrong = { minDelayMs: 10, maxDelayMs: 5 };
  assertThrows(attempt({ reconnect: wrong }), RangeError, "minDelayMs");
  for (const queueLimit of [NaN, 0, -1, 1.5]) {
    assertThrows(attempt({ queueLimit }), RangeError, "queueLimit");
  }
  for (const ms of [Infinity, 2 ** 31, 2 ** 40, Number.MAX_VALUE]) {
    using test = await start({ quietMs: ms, reconnect: { maxDelayMs: ms } });
    test.socket.join();
    await test.tick(1e6);
    assertEquals(test.socket.sent("ping"), []);
    assertEquals(test.ann.state.status, "live");
    test.socket.end(1006);
    await test.tick(waiting(test.ann.state).retryInMs);
    assertEquals(test.sockets.length, 2);
  }
});

for (const ms of [-3_600_000, 3_600_000, -1e12, 1e12]) {
  Deno.test(`ChatConnection goes by a clock that nobody sets, also when the other goes ${ms} ms`, async () => {
    const random = mock.method(Math, "random", () => 0.999);
    using test = await start({ quietMs: 8_000 });
    test.socket.join({
      limits: {
        text_max_bytes: 100,
        typing_timeout_ms: 3000,
        messages_per_second: 1,
        message_burst: 2,
      },
    });
    const first = test.ann.send("1", { ref: "1" });
    await test.tick(0);
    const clock = step(ms);
    // A message waits for the rate, not for the clock.
    const second = test.ann.send("2", { ref: "2" });
    test.socket.say(chat(1, { user: "ann", ref: "1" }));
    await test.tick(1_100);
    assertEquals(test.socket.sent("chat_message").map(({ ref }) => ref), ["1", "2"]);
    test.socket.say(chat(2, { user: "ann", ref: "2" }));
    await Promise.all([first, second]);
    // Typing is repeated after 1.5 s.
    test.ann.typing();
    await test.tick(1_400);
    test.ann.typing();
    await settle();
    assertEquals(test.socket.sent("typing_status").length, 1);
    await test.tick(100);
    test.ann.typing();
    await settle();
    assertEquals(test.socket.sent("typing_status").length, 2);
    // Silence is tested after 8 s.
    test.socket.say({ type: "pong", payload: {} });
    await test.tick(7_999);
    assertEquals(test.socket.sent("ping").length, 0);
    await test.tick(1);
    assertEquals(test.socket.sent("ping").length, 1);
    // A try comes when it was told.
    test.socket.end(1006);
    const { retryInMs } = waiting(test.ann.state);
    assertEquals(retryInMs, 499);
    clock.mock.restore();
    const again = step(-ms);
    await test.tick(499);
    assertEquals(test.sockets.length, 2);
    again.mock.restore();
    random.mock.restore();
  });
}

Deno.test("ChatConnection does without a token that never comes", async () => {
  let tokens = 0;
  using test = await start({ token: () => ++tokens === 1 ? never : "late" });
  await test.tick(9_999);
  assertEquals(test.ann.state.status, "connecting");
  await test.tick(1);
  assertEquals(
    waiting(test.ann.state).reason,
    "There is no token: there was no answer within 10 s",
  );
  await test.tick(500);
  test.socket.join();
  assertEquals(test.ann.state.status, "live");
});

Deno.test("ChatConnection does without a `joined` that never comes, but not while history does", async () => {
  using test = await start();
  test.socket.welcome();
  // A proxy that opens, and a server that answers pings, let nobody in.
  for (let seconds = 0; seconds < 25; seconds += 5) {
    await test.tick(5_000);
    test.socket.say({ type: "pong", payload: {} });
  }
  for (let number = 1; number < 5; number++) {
    test.socket.say(chat(number));
    await test.tick(15_000);
    assertEquals(test.ann.state.status, "connecting");
  }
  test.socket.say({ type: "pong", payload: {} });
  await test.tick(15_000);
  assertEquals(
    waiting(test.ann.state).reason,
    "The server answers, but lets nobody into the room",
  );
  assertEquals(test.ann.cursor, cursor(4));
});

const hanging: Readonly<Record<string, ConnectOptions["fetch"]>> = {
  "an answer": () => never,
  "the end of a body": () =>
    Promise.resolve(new Response(new ReadableStream(), { headers: JSON_TYPE })),
  "the end of a body that never pauses": () => {
    const body = new ReadableStream({
      pull: (controller) =>
        new Promise<void>((resolve) =>
          setTimeout(() => {
            controller.enqueue(new TextEncoder().encode(" "));
            resolve();
          }, 1_000)
        ),
    });
    return Promise.resolve(new Response(body, { headers: JSON_TYPE }));
  },
};
const JSON_TYPE = { "content-type": "application/json" };

for (const [what, fetch] of Object.entries(hanging)) {
  Deno.test(`ChatConnection.loadOlder() does without ${what} that never comes`, async () => {
    using test = await start({ fetch });
    test.socket.join();
    const failed = assertRejects(() => test.ann.loadOlder(), ChatError, "could not be reached");
    for (let seconds = 0; seconds < 61; seconds++) {
      await test.tick(1_000);
      test.socket.say({ type: "pong", payload: {} });
    }
    const { code, temporary } = await failed;
    assertEquals([code, temporary], ["unreachable", true]);
  });
}

Deno.test("ChatConnection asks on while one question why is never answered", async () => {
  let asked = 0;
  using test = await start({
    fetch: () => ++asked === 1 ? never : Promise.resolve(new Response(null, { status: 502 })),
    reconnect: { maxDelayMs: 1_000 },
  });
  for (let seconds = 0; seconds < 20; seconds++) {
    test.socket.end(1006);
    await settle();
    await test.tick(1_000);
  }
  assert(asked > 1);
  assertEquals(test.sockets.length, 21);
});

Deno.test("ChatConnection.close() checks its code and reason in every state", async () => {
  using test = await start();
  test.socket.end(1006);
  for (const code of [0, 999, 1001, 2999, 5000, NaN, 3000.5]) {
    assertThrows(() => test.ann.close(code), DOMException, `${code}`);
  }
  assertThrows(() => test.ann.close(1000, "ü".repeat(62)), DOMException, "123 bytes");
  assertEquals(test.ann.state.status, "waiting");
  test.ann.close(4000, "ü".repeat(61));
  assertEquals(test.ann.state.status, "closed");
});
