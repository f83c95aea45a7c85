import { assert, assertEquals, assertMatch } from "@std/assert";
import { anew, ask, assertRefused, handshake, type PointCheck } from "./hub_under_test.ts";
import { Member } from "./member.ts";
import { Socket } from "./socket.ts";

/** The points of version 1. */
export const V1_POINTS: readonly PointCheck[] = [
  {
    id: "V1-1",
    async check(hub) {
      const room = anew("room");
      await using ann = await Member.join(hub, { room, user: "ann" });
      const { cursor } = await ann.store("1");
      await ann.store("2");
      for (const [query, said] of [[`after=${cursor}`, "2"], ["history=1", "2"]]) {
        await using socket = new Socket(`${hub.url}/rooms/${room}/ws?user=bob&${query}`);
        await socket.first("joined");
        assertEquals(socket.of("chat_message").map(({ text }) => text), [said]);
      }
    },
  },
  {
    id: "V1-2",
    async check(hub) {
      const address = `${hub.url}/rooms/${anew("room")}/ws`;
      const headers = await assertRefused(ask(`${address}?user=a`), 426, "upgrade_required");
      assertEquals(headers.get("upgrade"), "websocket");
      await assertRefused(handshake(address), 400, "bad_user");
      for (const history of ["101", "-1", "x", "1.5"]) {
        const full = `${address}?user=ann&history=${history}`;
        await assertRefused(handshake(full), 400, "bad_query");
      }
      const old = { "sec-websocket-version": "8" };
      await assertRefused(handshake(`${address}?user=ann`, old), 426, "upgrade_required");
      await assertRefused(handshake(`${hub.url}/rooms/a%20b/ws?user=ann`), 400, "bad_room");
    },
  },
  {
    id: "V1-3",
    async check(hub) {
      const room = anew("room");
      const address = `${hub.url}/rooms/${room}/ws?user=`;
      await using plain = new Socket(`${address}ann`);
      await using one = new Socket(`${address}bob`, ["hubbub.v1"]);
      await using lines = new Socket(`${address}cleo`, ["unknown", "hubbub.v1.lines"]);
      for (const socket of [plain, one, lines]) await socket.first("joined");
      const chosen = [plain.protocol, one.protocol, lines.protocol];
      assertEquals(chosen, ["", "hubbub.v1", "hubbub.v1.lines"]);
      const say = (text: string) => ({ type: "chat_message", payload: { text } });
      lines.raw(`\n${JSON.stringify(say("1"))}\n\n${JSON.stringify(say("2"))}\n`);
      for (const socket of [plain, one, lines]) {
        await socket.first("chat_message", ({ text }) => text === "2");
        assertEquals(socket.of("chat_message").map(({ text }) => text), ["1", "2"]);
      }
      for (const { frames } of [plain, one]) assert(frames.every((text) => !text.includes("\n")));
      for (const blank of ["", "\n", "\n\n"]) lines.raw(blank);
      one.send(say("3"), say("4"));
      await lines.until("errors", () => lines.of("error").length === 3);
      assert(lines.of("error").every(({ code }) => code === "bad_frame"));
      assertEquals((await one.first("error")).code, "bad_frame");
    },
  },
  {
    id: "V1-4",
    async check(hub) {
      const room = anew("room");
      await using ann = await Member.join(hub, { room, user: "ann" });
      const payload = { text: "hello", ref: "r1", mood: "good" };
      ann.socket.send({ type: "chat_message", more: 1, payload });
      const message = await ann.socket.first("chat_message");
      assertEquals([message.text, message.mood], ["hello", undefined]);
      for (const { text } of ann.socket.envelopes) {
        assertEquals(Object.keys(JSON.parse(text)), ["type", "payload"]);
      }
      assertEquals(ann.of("error"), []);
    },
  },
  {
    id: "V1-5",
    async check(hub) {
      const room = anew("room");
      await using ann = await Member.join(hub, { room, user: "ann" });
      await using bob = await Member.join(hub, { room, user: "bob" });
      await ann.store("hello", "r1");
      ann.say("no ref");
      await bob.heard(2);
      const [first, second] = bob.messages;
      const { id, cursor, sent_at, ...rest } = first;
      assertEquals(rest, { room, user: "ann", text: "hello", ref: "r1" });
      assertMatch(id, /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
      assertMatch(sent_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert(cursor < second.cursor && !("ref" in second));
      await ann.heard(2);
      assertEquals(ann.messages, bob.messages);
    },
  },
  {
    id: "V1-6",
    async check(hub) {
      const room = anew("room");
      await using ann = await Member.join(hub, { room, user: "ann" });
      await using bob = await Member.join(hub, { room, user: "bob" });
      ann.type(true);
      await bob.socket.first("typing_status");
      const found = bob.socket.envelopes.find(({ type }) => type === "typing_status");
      assertEquals(found?.text, '{"type":"typing_status","payload":{"user":"ann","status":true}}');
    },
  },
  {
    id: "V1-7",
    async check(hub) {
      const room = anew("room");
      await using bob = await Member.join(hub, { room, user: "bob" });
      bob.type(true);
      await bob.socket.settled();
      await using ann = await Member.join(hub, { room, user: "ann" });
      const { cursor, limits, ...rest } = ann.joined;
      const expected = { room, user: "ann", recovered: true, users: ["ann", "bob"] };
      assertEquals(rest, { ...expected, typing: ["bob"] });
      assertEquals(typeof cursor, "string");
      const names = ["message_burst", "messages_per_second", "text_max_bytes", "typing_timeout_ms"];
      assertEquals(Object.keys(limits).sort(), names);
      assert(Object.values(limits).every((limit) => typeof limit === "number"));
    },
  },
  {
    id: "V1-8",
    async check(hub) {
      const room = anew("room");
      await using bob = await Member.join(hub, { room, user: "bob" });
      const ann = await Member.join(hub, { room, user: "ann" });
      await ann.socket.close();
      await bob.socket.until("both", () => bob.of("presence").length === 2);
      assertEquals(bob.of("presence"), [
        { user: "ann", status: "joined" },
        { user: "ann", status: "left" },
      ]);
    },
  },
  {
    id: "V1-9",
    async check(hub) {
      const room = anew("room");
      await using ann = await Member.join(hub, { room, user: "ann" });
      const { message, ...rest } = await ann.refused("", "r1");
      assertEquals([rest, typeof message], [{ code: "bad_text", ref: "r1" }, "string"]);
      assertEquals((await ann.store("still here")).text, "still here");
    },
  },
];
