import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ChatError, type RoomMessage } from "@hubbub/hub/client";
import type { MessageChange, ServerEnvelopeV2 } from "@hubbub/hub/protocol";
import { said, startClient } from "../helpers/fake_hub.ts";
import { cursor, settle } from "../helpers/fake_socket.ts";

/** The envelope of a stored change. */
function changed(
  number: number,
  message: number,
  change: Partial<MessageChange>,
): ServerEnvelopeV2 {
  const base = { cursor: cursor(number), message: cursor(message), user: "bob", at: number };
  const payload = { kind: "edit", ...base, ...change } as MessageChange;
  return { type: "message_changed", room: "lobby", payload };
}

function refused(type: string, code: string, ref: unknown): ServerEnvelopeV2 {
  const payload = { code, message: `It says ${code}`, for: type, ref };
  return { type: "error", room: "lobby", payload } as unknown as ServerEnvelopeV2;
}

/** A client that is live in the lobby, with three messages. */
async function startLobby(options: Parameters<typeof startClient>[0] = {}) {
  const test = await startClient(options);
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  let notified = 0;
  lobby.subscribe(() => notified++);
  await settle();
  test.socket.say(said("lobby", 1), said("lobby", 2, { user: "ann", ref: "r2" }), said("lobby", 3));
  test.socket.join("lobby", { cursor: cursor(3) });
  await settle();
  return {
    ...test,
    lobby,
    get socket() {
      return test.socket;
    },
    get notified() {
      return notified;
    },
    message(number: number): RoomMessage {
      const found = lobby.snapshot.messages.find((message) => message.cursor === cursor(number));
      assert(found, `message ${number} is not kept`);
      return found;
    },
    [Symbol.dispose]: () => test[Symbol.dispose](),
  };
}

Deno.test("Room passes over a change that a message came with already", async () => {
  using test = await startLobby();
  test.socket.say(said("lobby", 4, { text: "second edit", changed: cursor(9), edited_at: 9 }));
  // It was read with all that had been done to it by then.
  test.socket.say(changed(8, 4, { text: "first edit" }));
  await settle();
  assertEquals([test.message(4).text, test.message(4).changed], ["second edit", cursor(9)]);
  test.socket.say(changed(10, 4, { text: "third edit" }));
  assertEquals(test.message(4).text, "third edit");
});

Deno.test("Room folds each change into its message, once, and leaves the others alone", async () => {
  using test = await startLobby();
  const { lobby } = test;
  const [one, , three] = lobby.snapshot.messages;
  const before = test.notified;
  test.socket.say(
    changed(4, 2, { text: "better", data: { poll: 1 } }),
    changed(5, 2, { kind: "reaction", emoji: "👍", status: true }),
    changed(6, 2, { kind: "reaction", emoji: "👍", status: true, user: "ann" }),
    changed(7, 2, { kind: "reaction", emoji: "❤", status: true }),
  );
  await settle();
  assertEquals(test.notified, before + 1);
  const { messages } = lobby.snapshot;
  assertStrictEquals(messages[0], one);
  assertStrictEquals(messages[2], three);
  const expected = {
    cursor: cursor(2),
    user: "ann",
    text: "better",
    at: 2,
    ref: "r2",
    status: "sent",
    data: { poll: 1 },
    editedAt: 4,
    reactions: [
      { emoji: "👍", count: 2, users: ["bob", "ann"], mine: true },
      { emoji: "❤", count: 1, users: ["bob"] },
    ],
    changed: cursor(7),
  };
  assertEquals(messages[1], expected as RoomMessage);
  // What comes again is passed over.
  test.socket.say(changed(5, 2, { kind: "reaction", emoji: "👍", status: true }));
  await settle();
  assertStrictEquals(lobby.snapshot.messages[1], messages[1]);

  test.socket.say(
    changed(8, 2, { data: null, user: "ann" }),
    changed(9, 2, { kind: "reaction", emoji: "👍", status: false, user: "ann" }),
    changed(10, 2, { kind: "reaction", emoji: "❤", status: false }),
  );
  assertEquals(test.message(2).reactions, [{ emoji: "👍", count: 1, users: ["bob"] }]);
  assertEquals([test.message(2).text, test.message(2).data], ["better", undefined]);

  // An edit of which the text was erased, as where a deletion follows.
  test.socket.say(changed(11, 3, {}));
  assertEquals([test.message(3).text, test.message(3).editedAt], ["text 3", undefined]);

  test.socket.say(changed(12, 2, { kind: "delete", user: "ann" }));
  const tombstone = {
    status: "sent",
    cursor: cursor(2),
    user: "ann",
    at: 2,
    ref: "r2",
    text: "",
    deleted: true,
    changed: cursor(12),
  };
  assertEquals(test.message(2), tombstone as RoomMessage);
  // What was under way when it was deleted.
  test.socket.say(changed(13, 2, { text: "too late" }));
  assertEquals([test.message(2).text, test.message(2).deleted], ["", true]);
});

Deno.test("Room counts nothing twice between history and what is live", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  lobby.subscribe(() => {});
  await settle();
  const reactions = [{ emoji: "👍", count: 60, users: ["bob"], mine: true }] as const;
  test.socket.say(
    said("lobby", 1, { reactions, changed: cursor(9) }),
    said("lobby", 2, { text: undefined, deleted: true, changed: cursor(7) }),
  );
  test.socket.join("lobby", { cursor: cursor(9) });
  const thumb = { kind: "reaction", emoji: "👍" } as const;
  test.socket.say(
    changed(8, 1, { ...thumb, status: true }),
    changed(9, 1, { ...thumb, status: true, user: "cy" }),
    changed(10, 1, { ...thumb, status: true, user: "dan" }),
    changed(11, 1, { ...thumb, status: false, user: "ann" }),
  );
  await settle();
  const [one, two] = lobby.snapshot.messages;
  assertEquals(one.reactions, [{ emoji: "👍", count: 60, users: ["bob"] }]);
  assertEquals([two.text, two.deleted], ["", true]);
});

Deno.test("Room resumes after a change, and gets no change twice", async () => {
  using test = await startLobby();
  test.socket.say(changed(4, 1, { text: "edited" }));
  await settle();
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  assertEquals(test.socket.sent("join")[0].payload, { after: cursor(4), history: 0 });
  test.socket.say(changed(5, 1, { kind: "reaction", emoji: "👍", status: true }));
  test.socket.join("lobby", { cursor: cursor(5) });
  await settle();
  const { text, reactions } = test.message(1);
  assertEquals([text, reactions], ["edited", [{ emoji: "👍", count: 1, users: ["bob"] }]]);
});

Deno.test("Room shows one's own changes at once, and what becomes of them", async () => {
  using test = await startLobby();
  const { lobby } = test;
  const edited = lobby.edit(test.message(2), { text: "new" });
  void lobby.react(test.message(2), "👍");
  assertEquals(test.message(2).text, "new");
  assertEquals(test.message(2).reactions, [{ emoji: "👍", count: 1, users: ["ann"], mine: true }]);
  assertEquals(test.message(2).editedAt, undefined);
  assertEquals(test.message(2).changes?.map(({ kind, status }) => [kind, status]), [
    ["edit", "waiting"],
    ["reaction", "waiting"],
  ]);
  await settle();
  assertEquals(test.message(2).changes?.map(({ status }) => status), ["sending", "sending"]);
  const [{ payload: edit }] = test.socket.sent("edit_message");
  const [{ payload: reaction }] = test.socket.sent("react");
  assertEquals([edit.cursor, edit.text], [cursor(2), "new"]);
  assertEquals([reaction.cursor, reaction.emoji, reaction.status], [cursor(2), "👍", true]);
  test.socket.say(changed(4, 2, { text: "NEW", user: "ann", ref: String(edit.ref) }));
  assertEquals((await edited)?.text, "NEW");
  await settle();
  assertEquals(test.message(2).changes?.map(({ kind }) => kind), ["reaction"]);
  const thumb = { kind: "reaction", emoji: "👍", status: true, user: "ann" } as const;
  test.socket.say(changed(5, 2, { ...thumb, ref: String(reaction.ref) }));
  await settle();
  const { changes, text, editedAt, reactions } = test.message(2);
  assertEquals([changes, text, editedAt], [undefined, "NEW", 4]);
  assertEquals(reactions, [{ emoji: "👍", count: 1, users: ["ann"], mine: true }]);
});

Deno.test("Room takes the answer to a change that changes nothing, which has an old place", async () => {
  using test = await startLobby();
  test.socket.say(changed(4, 2, { text: "same", user: "ann" }));
  const edited = test.lobby.edit(test.message(2), { text: "same" });
  await settle();
  const [{ payload }] = test.socket.sent("edit_message");
  test.socket.say(changed(4, 2, { text: "same", user: "ann", ref: String(payload.ref) }));
  assertEquals((await edited)?.text, "same");
  await settle();
  assertEquals(test.message(2).changes, undefined);
  test.socket.say(said("lobby", 5));
  assertEquals(test.message(5).text, "text 5");
});

Deno.test("Room shows a change that was refused, with why, and the message as it is", async () => {
  using test = await startLobby();
  const { lobby } = test;
  const failed = lobby.edit(test.message(1), { text: "mine now" });
  await settle();
  const [{ payload }] = test.socket.sent("edit_message");
  test.socket.say(refused("edit_message", "forbidden", payload.ref));
  const error = await assertRejects(() => failed, ChatError, "It says forbidden");
  assertEquals([error.code, error.temporary], ["forbidden", false]);
  await settle();
  const { text, changes } = test.message(1);
  assertEquals(text, "text 1");
  assertEquals(changes?.map(({ kind, status, text }) => [kind, status, text]), [
    ["edit", "failed", "mine now"],
  ]);
  assertStrictEquals(changes?.[0].error, error);

  // Again, under the same name; then given up.
  const again = lobby.retry(test.message(1));
  await settle();
  const [, second] = test.socket.sent("edit_message");
  assertEquals(second.payload, payload);
  assertEquals(test.message(1).text, "mine now");
  test.socket.say(refused("edit_message", "forbidden", payload.ref));
  await assertRejects(() => again, ChatError);
  await settle();
  lobby.discard(test.message(1));
  assertEquals([test.message(1).text, test.message(1).changes], ["text 1", undefined]);
  await assertRejects(() => lobby.retry(test.message(1)), RangeError);
});

Deno.test("Room sends changes again with their refs, in their order among messages", async () => {
  using test = await startLobby();
  const { lobby } = test;
  const deleted = lobby.delete(test.message(2));
  const sent = lobby.send({ text: "next", data: { a: [1] }, replyTo: test.message(1) });
  assertEquals([test.message(2).deleted, test.message(2).text], [true, ""]);
  assertEquals(lobby.snapshot.messages.at(-1)?.replyTo, cursor(1));
  await settle();
  const first = test.socket.frames.at(-1)!;
  assertEquals(first.map(({ type }) => type), ["delete_message", "chat_message"]);
  const { ref: _, ...draft } = first[1].payload;
  assertEquals(draft, { text: "next", data: { a: [1] }, reply_to: cursor(1) });
  test.socket.end(1006);
  await test.tick(500);
  assertEquals(test.message(2).changes?.map(({ status }) => status), ["waiting"]);
  test.socket.welcome();
  await settle();
  test.socket.join("lobby", { cursor: cursor(3) });
  await settle();
  assertEquals(test.socket.frames.at(-1), first);
  test.socket.say(
    changed(4, 2, { kind: "delete", user: "ann", ref: String(first[0].payload.ref) }),
    said("lobby", 5, { user: "ann", ref: String(first[1].payload.ref), reply_to: cursor(1) }),
  );
  assertEquals((await deleted)?.deleted, true);
  assertEquals((await sent).replyTo, cursor(1));
});

Deno.test("Room folds into older messages what happened while they were on their way", async () => {
  const answer = Promise.withResolvers<Response>();
  using test = await startClient({ fetch: () => answer.promise });
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  lobby.subscribe(() => {});
  await settle();
  test.socket.say(said("lobby", 3));
  test.socket.join("lobby", { cursor: cursor(3) });
  const loading = lobby.loadOlder();
  await settle();
  // The page was read between the two.
  test.socket.say(
    changed(4, 1, { kind: "reaction", emoji: "👍", status: true }),
    changed(5, 1, { kind: "reaction", emoji: "👍", status: true, user: "cy" }),
    changed(6, 2, { kind: "delete" }),
  );
  const base = { room: "lobby", user: "bob", sent_at: "2026-11-22T00:00:00.000Z" };
  const messages = [
    {
      ...base,
      id: "1",
      cursor: cursor(1),
      text: "one",
      edited_at: "2026-11-22T00:00:01.000Z",
      reactions: [{ emoji: "👍", count: 1, users: ["bob"] }],
      changed: cursor(4),
    },
    { ...base, id: "2", cursor: cursor(2), text: "secret" },
  ];
  answer.resolve(Response.json({ messages, changes: [], older: null, newer: cursor(2) }));
  await loading;
  const [one, two] = lobby.snapshot.messages;
  assertEquals(one.reactions, [{ emoji: "👍", count: 2, users: ["bob", "cy"] }]);
  assertEquals(one.editedAt, Date.parse("2026-11-22T00:00:01.000Z"));
  assertEquals([two.deleted, two.text], [true, ""]);
  assert(!JSON.stringify(lobby.snapshot).includes("secret"));
});

Deno.test("Room reads what it missed with the changes between, page by page", async () => {
  const page = (
    after: number,
    body: Record<string, unknown>,
  ) => [`?after=${cursor(after)}&limit=100`, { changes: [], older: null, newer: null, ...body }];
  const message = (number: number, more: Record<string, unknown> = {}) => ({
    id: `${number}`,
    cursor: cursor(number),
    room: "lobby",
    user: "bob",
    text: `text ${number}`,
    sent_at: "2026-11-22T00:00:00.000Z",
    ...more,
  });
  const change = (number: number, of: number, more: Partial<MessageChange>) =>
    (changed(number, of, more) as { payload: unknown }).payload;
  const pages = Object.fromEntries([
    page(3, {
      messages: [message(5)],
      changes: [change(4, 1, { text: "four" }), change(6, 1, { text: "six" })],
      newer: cursor(6),
    }),
    page(6, { messages: [message(8, { changed: cursor(9), text: "eight" })] }),
    [`?before=${cursor(5)}&limit=1`, { messages: [message(3)] }],
  ]);
  const asked: string[] = [];
  const fetch = (input: string | URL | Request) => {
    const { search } = new URL(String(input));
    asked.push(search);
    return Promise.resolve(Response.json(pages[search]));
  };
  using test = await startLobby({ fetch });
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  test.socket.join("lobby", { cursor: cursor(9), recovered: false });
  // Live meanwhile; the first is on a page already.
  test.socket.say(changed(9, 8, { text: "nine" }), changed(10, 5, { text: "ten" }));
  await settle();
  assertEquals(test.lobby.snapshot.messages.map(({ text }) => text), [
    "six",
    "text 2",
    "text 3",
    "ten",
    "eight",
  ]);
  assertEquals(asked.length, 3);
});

Deno.test("Room.find() gives a message that is kept, or asks for it", async () => {
  const asked: string[] = [];
  const fetch = (input: string | URL | Request) => {
    const { pathname } = new URL(String(input));
    asked.push(pathname);
    const error = { code: "not_found", message: "There is none" };
    return Promise.resolve(
      pathname.endsWith(cursor(0))
        ? Response.json({
          id: "0",
          cursor: cursor(0),
          room: "lobby",
          user: "bob",
          text: "first",
          sent_at: "2026-11-22T00:00:00.000Z",
        })
        : Response.json({ error }, { status: 404 }),
    );
  };
  using test = await startLobby({ fetch });
  assertStrictEquals(await test.lobby.find(cursor(1)), test.message(1));
  assertEquals((await test.lobby.find(cursor(0)))?.text, "first");
  assertEquals(await test.lobby.find(cursor(77)), undefined);
  assertEquals(asked, [0, 77].map((number) => `/base/rooms/lobby/messages/${cursor(number)}`));
});

Deno.test("Room.read() gives a page of anywhere, and keeps nothing of it", async () => {
  const asked: string[] = [];
  const fetch = (input: string | URL | Request) => {
    asked.push(new URL(String(input)).search);
    const stored = {
      id: "0",
      cursor: cursor(0),
      room: "lobby",
      user: "bob",
      text: "first",
      sent_at: "2026-01-01T00:00:00.000Z",
    };
    return Promise.resolve(Response.json({ messages: [stored], changes: [], newer: null }));
  };
  using test = await startLobby({ fetch });
  const { lobby } = test;
  const before = lobby.snapshot.messages;
  assertEquals((await lobby.read({ before: cursor(1) })).map(({ text }) => text), ["first"]);
  await lobby.read({ after: cursor(7), limit: 3 });
  await lobby.read();
  const pages = [`?before=${cursor(1)}&limit=50`, `?after=${cursor(7)}&limit=3`, "?limit=50"];
  assertEquals(asked, pages);
  assertStrictEquals(lobby.snapshot.messages, before);
  await assertRejects(() => lobby.read({ limit: 101 }), RangeError, "limit");
  await assertRejects(() => lobby.read({ limit: 0 }), RangeError, "limit");
});

Deno.test("Room refuses at once what cannot be sent", async () => {
  using test = await startLobby();
  const { lobby } = test;
  const one = test.message(1);
  await assertRejects(() => lobby.edit(one, {}), ChatError, "text");
  await assertRejects(() => lobby.edit(one, { text: "x".repeat(101) }), ChatError, "100 bytes");
  await assertRejects(() => lobby.react(one, "two words"), ChatError, "emoji");
  await assertRejects(() => lobby.edit({}, { text: "x" }), RangeError, "not stored");
  await assertRejects(() => lobby.send({ text: "x", replyTo: {} }), RangeError, "not stored");
  const loop: Record<string, unknown> = {};
  loop.loop = loop;
  await assertRejects(() => lobby.send({ text: "x", data: loop }), Error);
  await settle();
  assertStrictEquals(test.message(1), one);
  assertEquals(lobby.snapshot.messages.length, 3);
});

Deno.test("Room erases what a user wrote, and the user's reactions, when it is told", async () => {
  using test = await startLobby();
  const { lobby } = test;
  test.socket.say(
    changed(4, 1, { text: "better" }),
    changed(5, 2, { kind: "reaction", emoji: "👍", status: true }),
    changed(6, 2, { kind: "reaction", emoji: "👍", status: true, user: "ann" }),
    changed(7, 2, { kind: "reaction", emoji: "❤", status: true }),
  );
  await settle();
  const [, own] = lobby.snapshot.messages;
  test.socket.say({ type: "user_erased", room: "lobby", payload: { user: "bob" } });
  test.socket.say(said("lobby", 8));
  await settle();
  const shown = lobby.snapshot.messages.map(({ text, deleted }) => [text, deleted ?? false]);
  assertEquals(shown, [["", true], [own.text, false], ["", true], [test.message(8).text, false]]);
  assertEquals(test.message(2).reactions, [
    { emoji: "👍", count: 1, users: ["ann"], mine: true },
  ]);
  assertEquals(test.message(1).user, "bob", "a tombstone stays");
  // Oneself, in another tab: one's own mark goes too.
  test.socket.say({ type: "user_erased", room: "lobby", payload: { user: "ann" } });
  await settle();
  assertEquals([test.message(2).deleted, test.message(2).reactions], [true, undefined]);
});
