// Messages that change, as the client has them from a real server.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ChatClient, ChatError, connect, createClient } from "@hubbub/hub/client";
import type { Room, RoomMessage } from "@hubbub/hub/client";
import { ORIGIN } from "../../src/store/cursor.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";

const network = needs("net");

/** What a room shows, whoever reads it. */
function shown({ snapshot }: Room): unknown[] {
  return snapshot.messages.map(({ cursor, text, data, deleted, editedAt, reactions, status }) => {
    const kinds = reactions?.map(({ emoji, count, users }) => [emoji, count, users]);
    return [cursor, text, data, deleted, editedAt, kinds, status];
  });
}

async function lobbyOf(client: ChatClient, options = {}): Promise<Room> {
  const lobby = client.room("lobby", options);
  lobby.subscribe(() => {});
  await eventually(() => lobby.snapshot.status === "live", "the room to be live");
  return lobby;
}

const last = ({ snapshot }: Room): RoomMessage => snapshot.messages.at(-1)!;

Deno.test("a client changes messages, and everybody sees the same", network, async () => {
  await using server = await serveAlone();
  await using clients = new AsyncDisposableStack();
  const client = (user: string) => {
    return clients.use(createClient(server.url, { user, reconnect: { minDelayMs: 5 } }));
  };
  const [ann, bob] = await Promise.all([client("ann"), client("bob")].map((one) => lobbyOf(one)));
  const question = await ann.send({ text: "lunch?", data: { poll: ["yes", "no"] } });
  const answer = await bob.send({ text: "yes", replyTo: question });
  assertEquals(answer.replyTo, question.cursor);
  const edited = await ann.edit(question, { text: "lunch at one?" });
  assertEquals([edited?.text, edited?.data], ["lunch at one?", { poll: ["yes", "no"] }]);
  assert(edited!.editedAt! >= question.at);
  assertEquals((await ann.edit(question, { data: null }))?.data, undefined);
  const reacted = await bob.react(question, "👍");
  assertEquals(reacted?.reactions, [{ emoji: "👍", count: 1, users: ["bob"], mine: true }]);
  await ann.react(question, "👍");
  await bob.react(question, "👍", false);
  // What is so already is answered, and stored no second time.
  await bob.react(question, "👍", false);
  await ann.edit(question, { text: "lunch at one?" });
  await eventually(() => JSON.stringify(shown(ann)) === JSON.stringify(shown(bob)), "the same");
  const changes = await server.hub.log.changes("lobby", ORIGIN, { limit: 99 });
  assertEquals(changes.map(({ kind }) => kind), [
    "edit",
    "edit",
    "reaction",
    "reaction",
    "reaction",
  ]);
  // Others' messages are not one's own: it says so, and shows what is stored.
  const refused = bob.edit(question, { text: "no lunch" });
  assertEquals((await assertRejects(() => refused, ChatError)).code, "forbidden");
  const [failed] = bob.snapshot.messages;
  assertEquals([failed.text, failed.changes?.[0].status], ["lunch at one?", "failed"]);
  bob.discard(failed);
  // A newcomer, older pages, one message, and the short form.
  for (let number = 0; number < 14; number++) await bob.send({ text: `filler ${number}` });
  const eve = await lobbyOf(client("eve"));
  const found = await eve.find(question.cursor!);
  assertEquals([found?.text, found?.reactions?.[0].users], ["lunch at one?", ["ann"]]);
  assertEquals(await eve.find(changes[0].cursor), undefined, "a change is no message");
  assertEquals(await eve.find("0".repeat(20)), undefined);
  await ann.delete(question);
  await eve.loadOlder();
  await eventually(() => eve.snapshot.messages[0].deleted, "the tombstone");
  for (const room of [ann, bob, eve]) {
    assertEquals([room.snapshot.messages[0].text, room.snapshot.messages[0].deleted], ["", true]);
    assertEquals(shown(room), shown(ann));
  }
  const late = await assertRejects(() => eve.react(answer, "two words"), ChatError);
  assertEquals(late.code, "bad_emoji");
  const gone = await assertRejects(() => bob.react(question, "👍"), ChatError);
  assertEquals(gone.code, "not_found");
  await using chat = connect(server.url, { room: "lobby", user: "cy" });
  await eventually(() => chat.messages.length === 10, "the history");
  const seen: string[] = [];
  chat.addEventListener("change", ({ detail }) => void seen.push(detail.change.kind));
  await chat.react(chat.messages[9], "👋");
  const own = await chat.send("mine");
  await chat.edit(own, { text: "mine, edited" });
  await chat.delete(own);
  assertEquals(seen, ["reaction", "edit", "delete"]);
  assertEquals(chat.messages.at(-1)?.deleted, true);
});

Deno.test("what is changed without a connection is made once, in its order", network, async () => {
  using kv = await Deno.openKv(":memory:");
  const server = serve(kv);
  await using clients = new AsyncDisposableStack();
  const rooms = await Promise.all(["ann", "bob"].map((user) => {
    const options = { user, reconnect: { minDelayMs: 5, maxDelayMs: 50 } };
    return lobbyOf(clients.use(createClient(server.url, options)));
  }));
  const [ann, bob] = rooms;
  const message = await ann.send({ text: "first" });
  const other = await bob.send({ text: "of bob" });
  await eventually(() => last(ann).text === "of bob", "both messages");
  await server.stop();
  await eventually(() => rooms.every(({ snapshot }) => snapshot.status !== "live"), "the end");
  const done = [
    ann.edit(message, { text: "second" }),
    ann.react(other, "👍"),
    ann.edit(message, { text: "third" }),
    ann.send({ text: "behind the edits", replyTo: other }),
    bob.react(message, "👍"),
    bob.delete(other),
  ];
  assertEquals(ann.snapshot.messages[0].text, "third");
  assertEquals(ann.snapshot.messages[0].changes?.map(({ status }) => status), [
    "waiting",
    "waiting",
  ]);
  // Somebody else writes in the meantime, and older changes come along with what was missed.
  await using again = serve(kv, { port: server.port });
  await again.hub.publish("lobby", "cy", { text: "meanwhile" });
  const results = await Promise.allSettled(done);
  // The reaction came before the deletion, or was refused after it.
  const codes = results.map((result) => result.status === "fulfilled" || result.reason.code);
  assertEquals(codes.toSpliced(1, 1), [true, true, true, true, true]);
  assert(codes[1] === true || codes[1] === "not_found", String(codes[1]));
  await eventually(() => JSON.stringify(shown(ann)) === JSON.stringify(shown(bob)), "the same");
  const changes = await again.hub.log.changes("lobby", ORIGIN, { limit: 99 });
  const texts = changes.flatMap((it) => it.kind === "edit" ? [it.text] : []);
  assertEquals(texts, ["second", "third"]);
  assertEquals(changes.filter(({ kind }) => kind === "delete").length, 1);
  assertEquals(ann.snapshot.messages[0].changes, undefined);
});

Deno.test("who was away for long has all changes of what is kept", network, async () => {
  using kv = await Deno.openKv(":memory:");
  const server = serve(kv);
  await using client = createClient(server.url, {
    user: "ann",
    reconnect: { minDelayMs: 5, maxDelayMs: 50 },
  });
  const cursors: string[] = [];
  const say = async (hub: typeof server.hub, text: string) => {
    const result = await hub.publish("lobby", "bob", { text });
    if (result.status === "stored") cursors.push(result.record.cursor);
  };
  for (let number = 0; number < 20; number++) await say(server.hub, `old ${number}`);
  const ann = await lobbyOf(client, { history: 20 });
  await server.stop();
  await eventually(() => ann.snapshot.status !== "live", "the end");
  await using again = serve(kv, { port: 0 });
  const { hub } = again;
  // Somebody is there: a room that nobody is in is opened for each change.
  await hub.join("lobby", { user: "cy", send() {}, close() {} }).joined;
  for (let number = 0; number < 240; number++) {
    if (number % 2 === 0) await say(hub, `new ${number}`);
    const cursor = cursors[number % cursors.length];
    await hub.change("lobby", "bob", { kind: "edit", cursor, text: `edited ${number}` });
    const emoji = ["👍", "❤", "x"][number % 3];
    const status = number % 4 !== 3;
    await hub.change("lobby", `u${number % 7}`, { kind: "reaction", cursor, emoji, status });
    if (number % 50 === 49) await hub.change("lobby", "bob", { kind: "delete", cursor });
  }
  await again.stop();
  await using third = serve(kv, { port: server.port });
  await eventually(() => ann.snapshot.messages.length === cursors.length, "what was missed");
  await using fresh = createClient(third.url, { user: "ann" });
  const newcomer = await lobbyOf(fresh, { history: 100 });
  while (newcomer.snapshot.hasOlder) await newcomer.loadOlder();
  await eventually(() => {
    return JSON.stringify(shown(ann)) === JSON.stringify(shown(newcomer));
  }, () => `${JSON.stringify(shown(ann))}\n${JSON.stringify(shown(newcomer))}`);
});
