import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  anew,
  ask,
  assertRefused,
  handshake,
  type HubUnderTest,
  page,
  type PointCheck,
  post,
  tokenOf,
} from "./hub_under_test.ts";
import { Member, type Version, VERSIONS } from "./member.ts";
import { type Envelope, Socket } from "./socket.ts";

/** Runs a check in both versions, each in a room of its own. */
function inBoth(
  check: (hub: HubUnderTest, version: typeof VERSIONS[number], room: string) => Promise<void>,
): (hub: HubUnderTest) => Promise<void> {
  return async (hub) => {
    await Promise.all(VERSIONS.map((version) => check(hub, version, anew("room"))));
  };
}

/** Where a connection of a version begins. */
function socketPath(version: typeof VERSIONS[number], room: string): string {
  return version === 1 ? `/rooms/${room}/ws` : "/ws";
}

/** Checks that a repeat is one after 300 other messages, too: more than are always remembered. */
async function assertRepeatsOfLong(given: HubUnderTest, version: Version): Promise<void> {
  if (!given.startStoppable) return;
  await using hub = await given.startStoppable();
  await using ann = await Member.join(hub, { room: "lobby", user: "ann", version });
  const first = await ann.store("hello", "r1");
  for (let n = 0; n < 300; n++) ann.say(`${n}`);
  await ann.heard(301);
  const response = await post(hub, "lobby", { user: "ann", text: "hello", ref: "r1" });
  assertEquals([response.status, (await response.json()).cursor], [200, first.cursor]);
}

/** The points that hold in both versions and over HTTP. */
export const COMMON_POINTS: readonly PointCheck[] = [
  {
    id: "ALL-1",
    async check(hub) {
      for (const room of ["a", "A.b-c_9", "..."]) {
        assertEquals((await page(hub, room)).length >= 0, true, room);
      }
      for (const room of ["%2E%2E%2E%20", "a%20b", "é", "x".repeat(65)]) {
        await assertRefused(ask(`${hub.url}/rooms/${room}`), 400, "bad_room");
      }
      await using socket = await new Socket(`${hub.url}/ws?user=${anew("u")}`, ["hubbub.v2"])
        .opened();
      for (const room of ["..", "a b", ""]) {
        socket.send({ type: "join", room });
        await socket.first("error", ({ code }) => code === "bad_room");
      }
    },
  },
  {
    id: "ALL-2",
    check: inBoth(async (hub, version, room) => {
      await using member = await Member.join(hub, { room, user: "  e\u0301va \u3000 b ", version });
      assertEquals((await member.store("hello")).user, "éva b");
      await using _persian = await Member.join(hub, { room, user: "علی\u200cرضا", version });
      for (const user of ["", " ", "ann\u200b", "\u2800", "a\u0007", "x".repeat(65), "\ue000"]) {
        await assertRefused(post(hub, room, { user, text: "hello" }), 400, "bad_user");
        const query = new URLSearchParams({ user });
        const protocol = { "sec-websocket-protocol": `hubbub.v${version}` };
        const address = `${hub.url}${socketPath(version, room)}?${query}`;
        await assertRefused(handshake(address, protocol), 400, "bad_user");
      }
    }),
  },
  {
    id: "ALL-3",
    check: inBoth(async (hub, version, room) => {
      await using member = await Member.join(hub, { room, user: anew("ann"), version });
      const cursors = [member.joined.cursor];
      for (const text of ["1", "2", "3"]) cursors.push((await member.store(text)).cursor);
      assertEquals(cursors, [...new Set(cursors)].sort());
      for (const cursor of cursors) assertMatch(cursor, /^[A-Za-z0-9._~-]{1,20}$/);
    }),
  },
  {
    id: "ALL-4",
    check: inBoth(async (hub, version, room) => {
      await using member = await Member.join(hub, { room, user: "ann", version });
      for (const ref of ["", "x".repeat(129), 7, null, "\ud800"]) {
        assertEquals((await member.refused("hello", ref)).code, "bad_ref");
        await assertRefused(post(hub, room, { user: "ann", text: "a", ref }), 400, "bad_ref");
      }
      assertEquals((await member.store("hello", "x".repeat(128))).text, "hello");
      assertEquals(member.messages.length, 1);
    }),
  },
  {
    id: "ALL-5",
    check: inBoth(async (hub, version, room) => {
      await using member = await Member.join(hub, { room, user: "ann", version });
      const limits = version === 1 ? member.joined.limits : member.socket.of("welcome")[0].limits;
      for (
        const text of [" two\nlines\t", 'e\u0301 \u{1f469}\u200d\u{1f692} \u0000 \u202e<b>"\\']
      ) {
        assertEquals((await member.store(text)).text, text);
      }
      for (const text of ["", " \n", "\u200b\u2800", "\ud800", 7, null]) {
        assertEquals((await member.refused(text)).code, "bad_text");
        await assertRefused(post(hub, room, { user: "ann", text }), 400, "bad_text");
      }
      const longest = "é".repeat(limits.text_max_bytes / 2);
      assertEquals((await member.store(longest)).text, longest);
      assertEquals((await member.refused(`${longest}a`)).code, "text_too_long");
      const body = { user: "ann", text: `${longest}a` };
      await assertRefused(post(hub, room, body), 413, "text_too_long");
    }),
  },
  {
    id: "ALL-6",
    check: inBoth(async (hub, version, room) => {
      await using ann = await Member.join(hub, { room, user: anew("ann"), version });
      await using bob = await Member.join(hub, { room, user: "bob", version });
      for (let count = 1; count <= 5; count++) {
        ann.say(`${count}`);
        await bob.heard(count);
        assertEquals((await page(hub, room)).map(({ text }) => text).at(-1), `${count}`);
      }
    }),
  },
  {
    id: "ALL-7",
    async check(hub) {
      const room = anew("room");
      await using members = new AsyncDisposableStack();
      const all: Member[] = [];
      for (const [user, version] of [["ann", 1], ["bob", 2], ["cleo", 1], ["dan", 2]] as const) {
        const member = await Member.join(hub, { room, user: anew(user), version });
        all.push(members.use(member));
      }
      const texts = all.flatMap(({ user }) => Array.from({ length: 10 }, (_, n) => `${user} ${n}`));
      for (let n = 0; n < 10; n++) for (const member of all) member.say(`${member.user} ${n}`);
      const posted = Array.from({ length: 5 }, (_, n) => `post ${n}`);
      await Promise.all(posted.map((text) => post(hub, room, { user: "eve", text })))
        .then((answers) => Promise.all(answers.map((answer) => answer.body?.cancel())));
      for (const member of all) await member.heard(45);
      const log = await page(hub, room, "limit=100");
      const cursors = log.map(({ cursor }) => cursor);
      assertEquals(cursors, cursors.toSorted());
      assertEquals(log.map(({ text }) => text).toSorted(), [...texts, ...posted].toSorted());
      for (const member of all) {
        assertEquals(member.messages.map(({ cursor }) => cursor), cursors, member.user);
        const own = log.filter(({ user }) => user === member.user).map(({ text }) => text);
        assertEquals(own, texts.filter((text) => text.startsWith(member.user)));
      }
    },
  },
  {
    id: "ALL-8",
    check: inBoth(async (hub, version, room) => {
      await assertRepeatsOfLong(hub, version);
      await using ann = await Member.join(hub, { room, user: "ann", version });
      const first = await ann.store("hello", "r1");
      await using again = await Member.join(hub, { room, user: "ann", version, history: 0 });
      assertEquals((await again.store("hello", "r1")).cursor, first.cursor);
      const response = await post(hub, room, { user: "ann", text: "hello", ref: "r1" });
      assertEquals([response.status, (await response.json()).cursor], [200, first.cursor]);
      await ann.store("next");
      assertEquals((await page(hub, room)).map(({ text }) => text), ["hello", "next"]);
    }),
  },
  {
    id: "ALL-9",
    check: inBoth(async (hub, version, room) => {
      await using ann = await Member.join(hub, { room, user: "ann", version });
      await using bob = await Member.join(hub, { room, user: "bob", version });
      await ann.store("lunch?", "r1");
      const { code, ref } = await ann.refused("I quit", "r1");
      assertEquals([code, ref], ["ref_reused", "r1"]);
      const body = { user: "ann", text: "I quit", ref: "r1" };
      await assertRefused(post(hub, room, body), 409, "ref_reused");
      assertEquals((await bob.store("mine", "r1")).user, "bob");
      assertEquals((await page(hub, room)).map(({ text }) => text), ["lunch?", "mine"]);
    }),
  },
  {
    id: "ALL-10",
    check: inBoth(async (hub, version, room) => {
      await using member = await Member.join(hub, { room, user: anew("ann"), version });
      const limits = version === 1 ? member.joined.limits : member.socket.of("welcome")[0].limits;
      if (limits.messages_per_second === 0) return;
      const count = Math.min(limits.message_burst + 20, 400);
      for (let n = 0; n < count; n++) member.say(`${n}`, `${n}`);
      const { ref, retry_after_ms } = await member.socket.first("error");
      assert(retry_after_ms > 0);
      assertEquals(member.of("error")[0].code, "rate_limited");
      await new Promise((resolve) => setTimeout(resolve, 2 * retry_after_ms + 200));
      // By now the bucket holds some again, and what was refused may be sent again.
      for (;;) {
        const before = member.of("error").length;
        member.say(`${ref}`, ref);
        const isStored = () => member.messages.some((message) => message.ref === ref);
        await member.socket.until("an answer", () => {
          return isStored() || member.of("error").length > before;
        });
        if (isStored()) break;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }),
  },
  {
    id: "ALL-11",
    check: inBoth(async (hub, version, room) => {
      await using ann = await Member.join(hub, { room, user: anew("ann"), version });
      for (let n = 1; n <= 12; n++) await ann.store(`${n}`);
      for (const [history, from] of [[undefined, 3], [3, 10], [0, 13], [100, 1]] as const) {
        await using bob = await Member.join(hub, { room, user: "bob", version, history });
        const before = bob.socket.envelopes.map(({ type }) => type);
        const expected = Array.from({ length: 13 - from }, (_, n) => `${from + n}`);
        const types = [...expected.map(() => "chat_message"), "joined"];
        assertEquals(before.slice(version - 1, version - 1 + types.length), types);
        assertEquals(bob.said, expected);
        assertEquals(bob.joined.recovered, true);
      }
    }),
  },
  {
    id: "ALL-12",
    check: inBoth(async (hub, version, room) => {
      await using ann = await Member.join(hub, { room, user: anew("ann"), version });
      const empty = ann.joined.cursor;
      const cursors: string[] = [];
      for (let n = 1; n <= 15; n++) cursors.push((await ann.store(`${n}`)).cursor);
      for (const [after, count] of [[cursors[11], 3], [cursors[14], 0], [empty, 15]] as const) {
        await using bob = await Member.join(hub, { room, user: "bob", version, after, history: 2 });
        assertEquals(bob.messages.map(({ cursor }) => cursor), cursors.slice(15 - count));
        assertEquals([bob.joined.recovered, bob.joined.cursor], [true, cursors[14]]);
      }
    }),
  },
  {
    id: "ALL-13",
    check: inBoth(async (hub, version, room) => {
      await using ann = await Member.join(hub, { room, user: anew("ann"), version });
      for (let n = 1; n <= 12; n++) await ann.store(`${n}`);
      for (const after of ["z".repeat(20), "nonsense"]) {
        await using bob = await Member.join(hub, { room, user: "bob", version, after });
        assertEquals(bob.joined.recovered, false);
        assertEquals(bob.said, Array.from({ length: 10 }, (_, n) => `${n + 3}`));
      }
    }),
  },
  {
    id: "ALL-14",
    check: inBoth(async (hub, version, room) => {
      await using ann = await Member.join(hub, { room, user: "ann", version });
      await using bob = await Member.join(hub, { room, user: "bob", version });
      ann.type(true);
      await bob.socket.first("typing_status", ({ status }) => status);
      await using cleo = await Member.join(hub, { room, user: "cleo", version });
      assertEquals(cleo.joined.typing, ["ann"]);
      ann.type(false);
      await bob.socket.first("typing_status", ({ status }) => !status);
      await ann.socket.settled();
      assertEquals([bob.typing, ann.typing], [["+ann", "-ann"], []]);
      assertEquals(await page(hub, room), []);
    }),
  },
  {
    id: "ALL-15",
    check: inBoth(async (hub, version, room) => {
      await using bob = await Member.join(hub, { room, user: "bob", version });
      const expected: string[] = [];
      /** Milliseconds from the sign of typing to its end. */
      const typedFor = async (ann: Member, end: () => unknown): Promise<number> => {
        expected.push("+ann", "-ann");
        const start = performance.now();
        ann.type(true);
        await bob.socket.until("typing", () => bob.typing.length === expected.length - 1);
        await end();
        await bob.socket.until("its end", () => bob.typing.length === expected.length);
        assertEquals(bob.typing, expected);
        return performance.now() - start;
      };
      /** A busy machine gets several tries. */
      const assertAtOnce = async (what: string, run: () => Promise<number>) => {
        for (let tries = 0; tries < 4; tries++) if (await run() < 2_000) return;
        throw new Error(`Typing does not end at once with ${what}`);
      };
      const ann = await Member.join(hub, { room, user: "ann", version });
      const long = await typedFor(ann, () => {});
      assert(long > 2_900 && long < 6_000, `${long}`);
      await assertAtOnce("a message", () => typedFor(ann, () => ann.say("sent")));
      await assertAtOnce("false", () => typedFor(ann, () => ann.type(false)));
      await assertAtOnce("the end of the connection", async () => {
        const other = await Member.join(hub, { room, user: "ann", version });
        return await typedFor(other, () => other.socket.close());
      });
      await ann.socket.close();
    }),
  },
  {
    id: "ALL-16",
    check: inBoth(async (hub, version, room) => {
      await using bob = await Member.join(hub, { room, user: "bob", version });
      await using first = await Member.join(hub, { room, user: "ann", version });
      await using second = await Member.join(hub, { room, user: "ann", version });
      first.type(true);
      await bob.socket.first("typing_status", ({ status }) => status);
      second.type(true);
      await second.socket.settled();
      first.type(false);
      await first.socket.settled();
      // What bob is told comes in order: this would come after an end of typing.
      await bob.store("mark");
      assertEquals(bob.typing, ["+ann"]);
      second.type(false);
      await bob.socket.first("typing_status", ({ status }) => !status);
      assertEquals([bob.typing, second.typing], [["+ann", "-ann"], []]);
    }),
  },
  {
    id: "ALL-17",
    check: inBoth(async (hub, version, room) => {
      await using bob = await Member.join(hub, { room, user: "bob", version });
      const first = await Member.join(hub, { room, user: "ann", version });
      await bob.socket.until("ann", () => bob.presence.includes("+ann"));
      const second = await Member.join(hub, { room, user: "ann", version });
      await first.socket.close();
      await using _cleo = await Member.join(hub, { room, user: "cleo", version });
      await bob.socket.until("cleo", () => bob.presence.includes("+cleo"));
      await second.socket.close();
      await bob.socket.until("no ann", () => bob.presence.includes("-ann"));
      assertEquals(bob.presence, ["+ann", "+cleo", "-ann"]);
    }),
  },
  {
    id: "ALL-18",
    check: inBoth(async (hub, version, room) => {
      await using member = await Member.join(hub, { room, user: "ann", version });
      const bad = ["hello", "7", "[]", "{}", '{"type":7}', '{"type":"chat_message","payload":7}'];
      for (const text of bad) member.socket.raw(text);
      member.socket.raw(new TextEncoder().encode('{"type":"ping"}'));
      member.socket.send({ type: "surprise", payload: {} });
      await member.socket.until("errors", () => member.socket.of("error").length === 8);
      const codes = member.socket.of("error").map(({ code }: Envelope["payload"]) => code);
      assertEquals(codes, [...Array(7).fill("bad_frame"), "unknown_type"]);
      assertEquals((await member.store("still here")).text, "still here");
      // One after the other: what comes after the close frame would tear the connection.
      for (let count = 9; member.socket.code === undefined && count < 20; count++) {
        member.socket.send({ type: "surprise", payload: {} });
        const isAnswered = () => member.socket.of("error").length >= count;
        await member.socket.until("an error", isAnswered, true);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assertEquals(await member.socket.closed(), 4509);
    }),
  },
  {
    id: "ALL-19",
    check: inBoth(async (hub, version, room) => {
      await using member = await Member.join(hub, { room, user: "ann", version });
      const { length } = JSON.stringify(member.envelope("chat_message", { text: "" }));
      assertEquals((await member.refused("é".repeat(65_536 - length))).code, "text_too_long");
      member.say("é".repeat(65_537 - length));
      assertEquals(await member.socket.closed(), 1009);
    }),
  },
  {
    id: "ALL-20",
    check: inBoth(async (hub, version, room) => {
      await using member = await Member.join(hub, { room, user: "ann", version });
      await member.socket.settled();
      assertEquals(member.socket.of("pong"), [{}]);
      assertEquals(member.socket.envelopes.at(-1)?.text, '{"type":"pong","payload":{}}');
    }),
  },
  {
    id: "ALL-21",
    need: "withTokens",
    check: inBoth(async (hub, version, room) => {
      const { url } = hub.withTokens!;
      const token = await tokenOf(hub, "ann");
      const own = `hubbub.v${version}`;
      const base64 = btoa(token).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
      const address = url + socketPath(version, room);
      const ways: [string, string[]][] = [
        [address, [own, `hubbub.token.${token}`]],
        [address, [`hubbub.token64.${base64}`, own]],
        [`${address}?token=${token}`, [own]],
      ];
      for (const [where, protocols] of ways) {
        await using socket = await new Socket(where, protocols).opened();
        assertEquals(socket.protocol, own);
        const { user } = await socket.first(version === 1 ? "joined" : "welcome");
        assertEquals(user, "ann");
      }
      const authorization = `Bearer ${token}`;
      const headers = { authorization, "sec-websocket-protocol": own };
      assertEquals((await handshake(address, headers)).status, 299);
      assertEquals((await (await ask(`${url}/rooms/${room}`, { headers })).json()).room, room);
    }),
  },
  {
    id: "ALL-22",
    need: "withTokens",
    check: inBoth(async (hub, version, room) => {
      const { url, secret } = hub.withTokens!;
      const address = url + socketPath(version, room);
      const protocol = `hubbub.v${version}`;
      const forged = await tokenOf({ ...hub, withTokens: { url, secret: `${secret}x` } }, "ann");
      for (const authorization of ["", `Bearer ${forged}`, "Bearer x"]) {
        const headers = { ...(authorization && { authorization }) };
        const full = { ...headers, "sec-websocket-protocol": protocol };
        const answer = assertRefused(handshake(address, full), 401, "unauthorized");
        assert((await answer).has("www-authenticate"));
        await assertRefused(ask(address, { headers }), 401, "unauthorized");
        await assertRefused(ask(`${url}/rooms/${room}`, { headers }), 401, "unauthorized");
      }
    }),
  },
  {
    id: "ALL-23",
    need: "withTokens",
    check: inBoth(async (hub, version, room) => {
      const { url } = hub.withTokens!;
      const address = `${url}${socketPath(version, room)}?token=`;
      const [short, long, other] = await Promise.all([
        tokenOf(hub, "ann", { seconds: -26 }),
        tokenOf(hub, "ann"),
        tokenOf(hub, "bob"),
      ]);
      const open = async () => await new Socket(address + short, [`hubbub.v${version}`]).opened();
      await using ends = await open();
      await using stays = await open();
      const authenticate = (token: string) => ({ type: "authenticate", payload: { token } });
      stays.send(authenticate(other));
      const { code } = await stays.first("error");
      assert(["unauthorized", "forbidden"].includes(code), code);
      stays.send(authenticate(long));
      assertEquals(await ends.closed(), 4501);
      await stays.settled();
    }),
  },
  {
    id: "ALL-24",
    need: "startStoppable",
    check: inBoth(async (hub, version, room) => {
      await using server = await hub.startStoppable!();
      const there = { ...hub, url: server.url };
      const ann = await Member.join(there, { room, user: "ann", version });
      ann.say("last words", "r1");
      await ann.socket.first("chat_message");
      const stopped = server.stop();
      const { reconnect_after_ms } = await ann.socket.first("draining").catch(async (error) => {
        if (ann.socket.of("draining").length > 0) return ann.socket.of("draining")[0];
        throw await error;
      });
      assert(reconnect_after_ms >= 0);
      assertEquals(await ann.socket.closed(), 4000);
      await stopped;
    }),
  },
  {
    id: "ALL-25",
    async check(hub) {
      const room = anew("room");
      await using ann = await Member.join(hub, { room, user: "ann" });
      const { code, message } = await ann.refused("");
      const response = await post(hub, room, { user: "ann", text: "" });
      assertEquals([response.status, await response.json()], [400, { error: { code, message } }]);
      const once = await ann.refused("hello", "");
      assertEquals(await ann.refused("hello", ""), once);
    },
  },
  {
    id: "ALL-26",
    check: inBoth(async (hub, version, room) => {
      await using ann = await Member.join(hub, { room, user: anew("ann"), version });
      const limited = () => ann.socket.of("error").filter(({ code }) => code === "rate_limited");
      for (let n = 0; n < 60; n++) ann.socket.send({ type: "ping", payload: {} });
      await ann.socket.until(
        "60 answers",
        () => ann.socket.of("pong").length + limited().length >= 60,
      );
      // A busy server takes some more than the burst.
      const count = limited().length;
      assert(count > 0 && count <= 20, `${count}`);
      assert(limited().every(({ retry_after_ms: ms }) => ms > 0 && ms <= 1000));
      for (let n = 0; n < 6; n++) {
        ann.socket.send({ type: "authenticate", payload: { token: "x" } });
      }
      await ann.socket.until("a limit on tokens", () => limited().length > count);
      assert(limited()[count].retry_after_ms > 1000);
    }),
  },
];
