import { assert, assertEquals } from "@std/assert";
import {
  anew,
  ask,
  assertRefused,
  type HubUnderTest,
  type PointCheck,
  post,
} from "./hub_under_test.ts";
import { Member } from "./member.ts";
import type { Envelope } from "./socket.ts";

type Payload = Envelope["payload"];

/** A room with a message of ann in it, and she herself in version 2. */
async function roomOf(hub: HubUnderTest, text = "hello") {
  const [room, user] = [anew("room"), anew("ann")];
  const response = await post(hub, room, { user, text });
  assertEquals(response.status, 201);
  const message = await response.json();
  const ann = await Member.join(hub, { room, user, version: 2 });
  return { room, user, message, ann, cursor: message.cursor as string };
}

/** Changes a message, and waits for the answer: a change, or an error. */
async function change(member: Member, type: string, payload: Payload): Promise<Payload> {
  const ref = payload.ref ?? crypto.randomUUID();
  const answers = (of: string) => member.of(of).filter((it) => it.ref === ref);
  const [changes, errors] = [answers("message_changed").length, answers("error").length];
  member.socket.send(member.envelope(type, { ...payload, ref }));
  const next = () => answers("message_changed").at(changes) ?? answers("error").at(errors);
  await member.socket.until(`an answer to ${type}`, () => next() !== undefined);
  return next()!;
}

/** Waits for changes. */
async function changesOf(member: Member, count: number): Promise<Payload[]> {
  await member.socket.until(`${count} changes`, () => member.of("message_changed").length >= count);
  return member.of("message_changed");
}

async function pageOf(hub: HubUnderTest, room: string, query = "") {
  const response = await ask(`${hub.url}/rooms/${room}/messages?${query}`);
  return await response.json();
}

/** The points of messages that change. */
export const CHANGE_POINTS: readonly PointCheck[] = [
  {
    id: "CHANGE-1",
    async check(hub) {
      const { room, user, cursor, ann } = await roomOf(hub);
      await using _ann = ann;
      const data = { poll: ["yes", null, 1.5], "": { deep: [{}] } };
      ann.socket.send(ann.envelope("chat_message", { text: "more", data, reply_to: cursor }));
      await ann.socket.until("the message", () => ann.messages.length === 2);
      assertEquals([ann.messages[1].data, ann.messages[1].reply_to], [data, cursor]);
      assertEquals((await pageOf(hub, room)).messages[1].data, data);
      const deep = JSON.parse(`{"a":${"[".repeat(32)}${"]".repeat(32)}}`);
      for (const wrong of [[], "x", 7, { a: "x".repeat(4096) }, deep]) {
        await assertRefused(post(hub, room, { user, text: "a", data: wrong }), 400, "bad_data");
      }
      await assertRefused(post(hub, room, { user, text: "a", reply_to: "x" }), 400, "bad_cursor");
    },
  },
  {
    id: "CHANGE-2",
    async check(hub) {
      const { room, cursor, user, ann } = await roomOf(hub);
      await using _ann = ann;
      await using bob = await Member.join(hub, { room, user: anew("bob"), version: 2 });
      await using eve = await Member.join(hub, { room, user: anew("eve"), version: 1 });
      const answer = await change(ann, "edit_message", { cursor, text: "hello, all" });
      const { ref, ...told } = answer;
      assert(ref !== undefined && told.cursor > cursor);
      const { at, cursor: place, ...rest } = told;
      assert(Math.abs(at - Date.now()) < 600_000 && place.length === 20);
      assertEquals(rest, { message: cursor, kind: "edit", user, text: "hello, all" });
      for (const member of [bob, eve]) assertEquals(await changesOf(member, 1), [told]);
      await change(bob, "react", { cursor, emoji: "👍", status: true });
      const [, reaction] = await changesOf(eve, 2);
      assertEquals([reaction.kind, reaction.emoji, reaction.status, reaction.user], [
        "reaction",
        "👍",
        true,
        bob.user,
      ]);
      assertEquals((await change(bob, "edit_message", { cursor, text: "x" })).code, "forbidden");
      assertEquals((await change(bob, "delete_message", { cursor })).code, "forbidden");
      const nothing = "0".repeat(20);
      assertEquals((await change(ann, "delete_message", { cursor: nothing })).code, "not_found");
    },
  },
  {
    id: "CHANGE-3",
    async check(hub) {
      const { room, cursor, user, ann } = await roomOf(hub);
      await using _ann = ann;
      const edit = await change(ann, "edit_message", { cursor, data: { a: 1 } });
      const [message] = (await pageOf(hub, room)).messages;
      assertEquals([message.text, message.data, message.changed], ["hello", { a: 1 }, edit.cursor]);
      assertEquals(Date.parse(message.edited_at), edit.at);
      const cleared = await change(ann, "edit_message", { cursor, data: null });
      await using late = await Member.join(hub, { room, user, version: 2 });
      const [now] = late.messages;
      assertEquals([now.data, now.changed, now.edited_at], [undefined, cleared.cursor, cleared.at]);
      // Who resumes is told of what changed meanwhile, and of nothing twice.
      await using back = await Member.join(hub, { room, user, version: 2, after: edit.cursor });
      assertEquals(back.messages, []);
      assertEquals(back.of("message_changed").map((it) => it.cursor), [cleared.cursor]);
    },
  },
  {
    id: "CHANGE-4",
    async check(hub) {
      const { room, cursor, ann } = await roomOf(hub);
      await using _ann = ann;
      await using bob = await Member.join(hub, { room, user: anew("bob"), version: 2 });
      const same = await change(ann, "edit_message", { cursor, text: "hello" });
      assertEquals([same.kind, same.message], ["edit", cursor]);
      const none = await change(ann, "react", { cursor, emoji: "x", status: false });
      assertEquals(none.status, false);
      const real = await change(ann, "react", { cursor, emoji: "x", status: true });
      assertEquals((await changesOf(bob, 1)).map((it) => it.cursor), [real.cursor]);
      await ann.socket.settled();
      assertEquals(bob.of("message_changed").length, 1);
      // Sent again with its ref: over the same connection, another one, and HTTP.
      const edit = { cursor, text: "once", ref: "r1" };
      const first = await change(ann, "edit_message", edit);
      await change(ann, "edit_message", { cursor, text: "since" });
      assertEquals((await change(ann, "edit_message", edit)).cursor, first.cursor);
      await using other = await Member.join(hub, { room, user: ann.user, version: 2 });
      assertEquals((await change(other, "edit_message", edit)).cursor, first.cursor);
      const address = `${hub.url}/rooms/${room}/messages/${cursor}`;
      const patch = (text: string) =>
        ask(address, {
          method: "PATCH",
          body: JSON.stringify({ user: ann.user, text, ref: "r1" }),
        });
      assertEquals((await (await patch("once")).json()).text, "since");
      await assertRefused(patch("other"), 409, "ref_reused");
      const reused = await change(other, "edit_message", { ...edit, text: "other" });
      assertEquals(reused.code, "ref_reused");
      assertEquals((await changesOf(bob, 3)).map(({ text }) => text), [undefined, "once", "since"]);
    },
  },
  {
    id: "CHANGE-5",
    async check(hub) {
      const { room, cursor, ann } = await roomOf(hub);
      await using _ann = ann;
      await using bob = await Member.join(hub, { room, user: anew("bob"), version: 2 });
      await change(bob, "react", { cursor, emoji: "❤", status: true });
      await change(ann, "react", { cursor, emoji: "👍", status: true });
      await change(ann, "react", { cursor, emoji: "❤", status: true });
      await using late = await Member.join(hub, { room, user: ann.user, version: 2 });
      assertEquals(late.messages[0].reactions, [
        { emoji: "❤", count: 2, users: [bob.user, ann.user], mine: true },
        { emoji: "👍", count: 1, users: [ann.user], mine: true },
      ]);
      // Who was first takes it back while another one stays, and then all do.
      const kinds = async () => {
        await using reader = await Member.join(hub, { room, user: anew("eve"), version: 2 });
        return reader.messages[0].reactions.map(({ emoji }: Payload) => emoji).join("");
      };
      await change(bob, "react", { cursor, emoji: "❤", status: false });
      assertEquals(await kinds(), "❤👍");
      await change(ann, "react", { cursor, emoji: "❤", status: false });
      await change(bob, "react", { cursor, emoji: "❤", status: true });
      assertEquals(await kinds(), "👍❤");
      for (const emoji of ["", "a b", "x".repeat(33), "\u0007", 7]) {
        const wrong = await change(ann, "react", { cursor, emoji, status: true });
        assertEquals(wrong.code, "bad_emoji");
      }
      for (let n = 0; n < 18; n++) {
        await change(bob, "react", { cursor, emoji: `e${n}`, status: true });
      }
      const more = await change(bob, "react", { cursor, emoji: "one more", status: true });
      assertEquals(more.code, "bad_emoji");
      const last = await change(bob, "react", { cursor, emoji: "onemore", status: true });
      assertEquals(last.code, "too_many_reactions");
      // Who has written too much may react.
      await using dan = await Member.join(hub, { room, user: anew("dan"), version: 2 });
      const { message_burst } = dan.socket.of("welcome")[0].limits;
      const texts = Array.from({ length: message_burst + 10 }, (_, n) => {
        return dan.envelope("chat_message", { text: `${n}` });
      });
      const reaction = { cursor, emoji: "❤", status: true, ref: "r1" };
      dan.socket.send(...texts, dan.envelope("react", reaction));
      await dan.socket.first("error", ({ code }) => code === "rate_limited");
      await dan.socket.first("message_changed", ({ ref }) => ref === "r1");
    },
  },
  {
    id: "CHANGE-6",
    async check(hub) {
      const [room, user] = [anew("room"), anew("ann")];
      const sent = { user, text: "SECRET", ref: "r1" };
      const { cursor } = await (await post(hub, room, sent)).json();
      await using ann = await Member.join(hub, { room, user, version: 2 });
      await change(ann, "edit_message", { cursor, text: "SECRET too" });
      const deletion = await change(ann, "delete_message", { cursor });
      assertEquals(deletion.kind, "delete");
      for (const version of [1, 2] as const) {
        await using late = await Member.join(hub, { room, user: anew("bob"), version });
        const [tombstone] = late.messages;
        assertEquals([tombstone.deleted, tombstone.changed], [true, deletion.cursor]);
        assertEquals(tombstone.text, version === 1 ? "" : undefined);
        assertEquals([tombstone.ref, tombstone.reactions], [undefined, undefined]);
      }
      const page = await pageOf(hub, room, `after=${"0".repeat(20)}`);
      assert(!JSON.stringify(page).includes("SECRET"));
      const again = await post(hub, room, sent);
      assertEquals([again.status, (await again.json()).cursor], [200, cursor]);
      assertEquals((await pageOf(hub, room)).messages.length, 1);
      assertEquals((await change(ann, "edit_message", { cursor, text: "x" })).code, "not_found");
      const reaction = await change(ann, "react", { cursor, emoji: "x", status: true });
      assertEquals(reaction.code, "not_found");
    },
  },
  {
    id: "CHANGE-7",
    async check(hub) {
      const { room, cursor, user, message, ann } = await roomOf(hub);
      await using _ann = ann;
      const address = `${hub.url}/rooms/${room}/messages/${cursor}`;
      const read = async (init?: RequestInit, query = "") => {
        const response = await ask(address + query, init);
        assertEquals(response.status, 200);
        return await response.json();
      };
      assertEquals(await read(), message);
      const body = JSON.stringify({ user, text: "edited" });
      const edited = await read({ method: "PATCH", body });
      assertEquals([edited.text, edited.changed > cursor], ["edited", true]);
      const query = `/reactions?emoji=${encodeURIComponent("👍")}&user=${user}`;
      const reacted = await read({ method: "PUT" }, query);
      assertEquals(reacted.reactions, [{ emoji: "👍", count: 1, users: [user], mine: true }]);
      assertEquals((await read({ method: "DELETE" }, query)).reactions, undefined);
      const change = (await read()).changed;
      for (const nothing of [change, "0".repeat(20), "nothing"]) {
        const place = `${hub.url}/rooms/${room}/messages/${nothing}`;
        await assertRefused(ask(place), 404, "not_found");
      }
      const deleted = await read({ method: "DELETE" }, `?user=${user}`);
      assertEquals([deleted.deleted, "text" in deleted], [true, false]);
    },
  },
  {
    id: "CHANGE-8",
    async check(hub) {
      const { room, cursor, user, ann } = await roomOf(hub);
      await using _ann = ann;
      await change(ann, "edit_message", { cursor, text: "first" });
      const { cursor: second } = await (await post(hub, room, { user, text: "second" })).json();
      const reaction = await change(ann, "react", { cursor: second, emoji: "x", status: true });
      const all = await pageOf(hub, room, "limit=1");
      assertEquals([all.messages.length, all.older, all.newer, all.changes], [1, second, null, []]);
      const older = await pageOf(hub, room, `before=${all.older}`);
      assertEquals([older.older, older.newer, older.messages[0].text], [null, cursor, "first"]);
      const newer = await pageOf(hub, room, `after=${cursor}`);
      // The reaction is in its message already.
      assertEquals(newer.changes.map(({ kind }: Payload) => kind), ["edit"]);
      assertEquals([newer.messages[0].changed, newer.newer], [reaction.cursor, null]);
    },
  },
];
