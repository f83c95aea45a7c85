import { assert, assertEquals } from "@std/assert";
import type { Room } from "@hubbub/hub/client";
import { said, startClient } from "../helpers/fake_hub.ts";
import { cursor, settle } from "../helpers/fake_socket.ts";
import { FakeStorage } from "../helpers/fake_storage.ts";

const shown = (room: Room) =>
  room.snapshot.messages.map(({ text, status }) => `${text}: ${status}`);

Deno.test("ClientOptions.storage keeps what is unsent, by room and user, until it is stored", async () => {
  const storage = new FakeStorage();
  {
    using test = await startClient({ storage });
    const lobby = test.client.room("lobby");
    for (const text of ["one", "two", "three"]) {
      void lobby.send({ text, data: { text }, replyTo: cursor(1) });
    }
    lobby.discard(lobby.snapshot.messages[1]);
    assertEquals(storage.unsent.length, 2);
    await settle();
  }
  // Another program: nobody else's room or name sees it.
  using test = await startClient({ storage });
  const [lobby, other] = ["lobby", "other"].map((name) => test.client.room(name));
  for (const room of [lobby, other]) room.subscribe(() => {});
  assertEquals(shown(lobby), ["one: waiting", "three: waiting"]);
  assertEquals(shown(other), []);
  using bob = await startClient({ storage, user: "bob" });
  const ofBob = bob.client.room("lobby");
  ofBob.subscribe(() => {});
  assertEquals(shown(ofBob), []);

  using again = await startClient({ storage });
  const room = await (again.socket.welcome(), again.live("lobby"));
  const sent = again.socket.sent("chat_message").map(({ payload }) => payload);
  assertEquals(sent.map(({ text, data, reply_to }) => [text, data, reply_to]), [
    ["one", { text: "one" }, cursor(1)],
    ["three", { text: "three" }, cursor(1)],
  ]);
  sent.forEach(({ text, ref }, index) => {
    again.socket.say(
      said("lobby", index + 1, { user: "ann", text: String(text), ref: String(ref) }),
    );
  });
  await settle();
  assertEquals(shown(room), ["one: sent", "three: sent"]);
  assertEquals(storage.unsent, []);
});

Deno.test("ClientOptions.storage gives back messages in the order in which they were written", async () => {
  const storage = new FakeStorage();
  const texts = ["one", "two", "three"];
  {
    using test = await startClient({ storage });
    const lobby = test.client.room("lobby");
    for (const text of texts) {
      void lobby.send({ text });
      await test.tick(1);
    }
  }
  // Nothing says in which order a storage has its keys.
  const key = storage.key.bind(storage);
  storage.key = (index) => key(storage.length - 1 - index);
  using test = await startClient({ storage });
  test.socket.welcome();
  await test.live("lobby");
  assertEquals(test.socket.sent("chat_message").map(({ payload }) => payload.text), texts);
});

Deno.test("ClientOptions.storage does not let a message be sent twice after a long time", async () => {
  const storage = new FakeStorage();
  const refs: string[] = [];
  {
    using test = await startClient({ storage });
    test.socket.welcome();
    const lobby = await test.live("lobby");
    for (const text of ["arrived", "lost"]) void lobby.send({ text });
    await settle();
    refs.push(...test.socket.sent("chat_message").map(({ payload }) => String(payload.ref)));
  }
  for (const key of storage.unsent) {
    const kept = JSON.parse(storage.getItem(key)!);
    assert(kept.triedAt > 0);
    storage.items.set(key, JSON.stringify({ ...kept, triedAt: kept.triedAt - 121_000 }));
  }
  using test = await startClient({ storage });
  const lobby = test.client.room("lobby");
  lobby.subscribe(() => {});
  assertEquals(shown(lobby), ["arrived: failed", "lost: failed"]);
  assertEquals(lobby.snapshot.messages[0].error?.message.includes("may have been sent"), true);
  test.socket.welcome();
  await settle();
  // The history tells of one of them.
  test.socket.say(said("lobby", 1, { user: "ann", text: "arrived", ref: refs[0] }));
  test.socket.join("lobby", { cursor: cursor(1) });
  await settle();
  assertEquals(shown(lobby), ["arrived: sent", "lost: failed"]);
  assertEquals([test.socket.sent("chat_message").length, storage.unsent.length], [0, 1]);
  void lobby.retry(lobby.snapshot.messages[1]);
  await settle();
  assertEquals(test.socket.sent("chat_message")[0].payload, { text: "lost", ref: refs[1] });
});

Deno.test("ClientOptions.storage may be full, or hold what others wrote", async () => {
  const storage = new FakeStorage();
  using test = await startClient({ storage });
  void test.client.room("lobby").send({ text: "kept" });
  const [key] = storage.items.keys();
  for (const value of ["", "null", "[]", "{}", '{"ref":"x"}']) storage.items.set(`${key}x`, value);
  storage.isFull = true;
  const lobby = test.client.room("lobby");
  void lobby.send({ text: "not kept" });
  assertEquals(shown(lobby), ["kept: waiting", "not kept: waiting"]);
  storage.isFull = false;
  using again = await startClient({ storage });
  const room = again.client.room("lobby");
  room.subscribe(() => {});
  assertEquals(shown(room), ["kept: waiting"]);
});
