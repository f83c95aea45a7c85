import { assert, assertEquals } from "@std/assert";
import { connect, createClient } from "@hubbub/hub/client";
import type { Room } from "@hubbub/hub/client";
import { Document } from "../helpers/document.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { within } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { received, until } from "../helpers/received.ts";
import { Shell } from "../helpers/shell.ts";
import { serveAlone } from "../helpers/test_server.ts";

const network = needs("net", "read", "write");
const processes = needs("net", "run", "read", "write", "env");

/** Waits until something holds of a room, looking again after each change of it. */
async function untilRoom(room: Room, condition: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => condition() && resolve();
  const unsubscribe = room.subscribe(look);
  look();
  await within(promise, () => `${condition}, ${JSON.stringify(room.snapshot).slice(0, 500)}`);
  unsubscribe();
}

const texts = ({ snapshot }: Room) => snapshot.messages.map(({ text }) => text);

Deno.test(
  "createClient() shows history, then what is live, in each of its rooms",
  network,
  async () => {
    await using server = await serveAlone();
    await using bob = createClient(server.url, { user: "bob" });
    for (let number = 1; number <= 12; number++) {
      await bob.room("lobby").send({ text: `lobby ${number}` });
    }
    await bob.room("news").send({ text: "news 1" });

    await using ann = createClient(server.url, { user: "ann" });
    const [lobby, news] = [ann.room("lobby"), ann.room("news", { presence: false })];
    const others = bob.room("lobby");
    using _subscriptions = keep(lobby, news, others);
    await untilRoom(lobby, () => lobby.snapshot.status === "live");
    await untilRoom(news, () => news.snapshot.status === "live");
    assertEquals(texts(lobby), Array.from({ length: 10 }, (_, index) => `lobby ${index + 3}`));
    assertEquals([lobby.snapshot.hasOlder, news.snapshot.hasOlder], [true, false]);
    await lobby.loadOlder();
    assertEquals(texts(lobby)[0], "lobby 1");
    await untilRoom(lobby, () => lobby.snapshot.users.includes("bob"));
    assertEquals([lobby.snapshot.users, lobby.snapshot.userCount], [["ann", "bob"], 2]);
    assertEquals(news.snapshot.users, []);

    await untilRoom(others, () => others.snapshot.users.includes("ann"));
    others.typing();
    await untilRoom(lobby, () => lobby.snapshot.typing.length > 0);
    assertEquals(lobby.snapshot.typing, ["bob"]);
    const sent = await others.send({ text: "lobby 13" });
    await untilRoom(lobby, () => texts(lobby).includes("lobby 13"));
    assertEquals(lobby.snapshot.typing, []);
    const last = lobby.snapshot.messages.at(-1);
    assertEquals([last?.cursor, last?.at, last?.ref], [sent.cursor, sent.at, undefined]);
    // Nobody else's ref is shown, and one's own is.
    assertEquals(others.snapshot.messages.at(-1)?.ref, sent.ref);
  },
);

Deno.test("docs/client.md's example shows its message, and ends", processes, async () => {
  await using server = await serveAlone();
  const text = Document.read("docs/client.md").block("ts", "createClient");
  await using shell = new Shell("deno run --no-prompt --allow-net=127.0.0.1 -");
  await shell.type(text.replace("http://localhost:8000", server.url));
  await shell.endInput();
  await shell.until(/^live \[ "ann: hello \(sent\)" \]$/m);
});

Deno.test("connect() and createClient() share a room and see the same", network, async () => {
  await using server = await serveAlone();
  await using one = connect(server.url, { room: "lobby", user: "ann" });
  await using many = createClient(server.url, { user: "bob" });
  const seen = received(one);
  const lobby = many.room("lobby");
  using _subscription = keep(lobby);
  await untilRoom(lobby, () => lobby.snapshot.users.length === 2);
  const sends: Promise<unknown>[] = [];
  for (let number = 0; number < 50; number++) {
    sends.push(one.send(`ann ${number}`), lobby.send({ text: `bob ${number}` }));
  }
  await within(Promise.all(sends), () => "sends");
  await until(one, () => seen.length === 100);
  await untilRoom(lobby, () => lobby.snapshot.messages.length === 100);
  assertEquals(
    lobby.snapshot.messages.map(({ cursor }) => cursor),
    seen.map(({ cursor }) => cursor),
  );
  assertEquals(
    lobby.snapshot.messages.map(({ at }) => at),
    seen.map(({ at }) => at),
  );
});

Deno.test("createClient() in 200 rooms sees through kills what 200 connections see", {
  ...processes,
  timeout: 180_000,
}, async () => {
  const folder = await Deno.makeTempDir({ prefix: "hubbub-" });
  const environment = {
    HUBBUB_KV: `${folder}/rooms.sqlite3`,
    HUBBUB_MAX_CONNECTIONS_PER_USER: "0",
    HUBBUB_MESSAGES_PER_SECOND: "0",
  };
  const names = Array.from({ length: 200 }, (_, index) => `room-${index}`);
  let hub = await HubProcess.start({ ...environment });
  const { url, port } = hub;
  const reconnect = { minDelayMs: 10, maxDelayMs: 500 };
  const client = createClient(url, { user: "ann", reconnect });
  const rooms = names.map((name) => client.room(name));
  const unsubscribe = rooms.map((room) => room.subscribe(() => {}));
  const single = names.map((room) => connect(url, { room, user: "bob", reconnect }));
  const seen = single.map(received);
  let said = 0;
  const isComplete = () => {
    return sum(seen) === said && sum(rooms.map(({ snapshot }) => snapshot.messages)) === said;
  };
  try {
    for (const chat of single) await until(chat, () => chat.state.status === "live");
    for (const room of rooms) await untilRoom(room, () => room.snapshot.status === "live");
    for (const signal of ["SIGKILL", "SIGTERM", "SIGKILL"] as const) {
      // From both sides, and half of it while the hub dies.
      const sends: Promise<unknown>[] = [];
      const speak = (from: number) => {
        for (let index = from; index < names.length; index += 2, said += 2) {
          sends.push(rooms[index].send({ text: `ann ${said}` }), single[index].send(`bob ${said}`));
        }
      };
      speak(0);
      await within(sends[0], () => "the first");
      speak(1);
      await hub.stop(signal);
      hub = await HubProcess.start({ ...environment, PORT: String(port) });
      await within(Promise.all(sends), () => `${signal}: ${client.status} ${client.reason}`);
    }
    await settled(isComplete, () => `${said} said, ${sum(seen)} seen`);
    for (const [index, { snapshot }] of rooms.entries()) {
      const messages = seen[index];
      assertEquals(snapshot.messages.length, 6, names[index]);
      assertEquals(
        snapshot.messages.map(({ cursor, user, text, status }) => [cursor, user, text, status]),
        messages.map(({ cursor, user, text }) => [cursor, user, text, "sent"]),
        names[index],
      );
      await untilRoom(rooms[index], () => rooms[index].snapshot.users.length === 2);
      assertEquals(rooms[index].snapshot.users, single[index].users);
    }
    assert(hub.events.every(({ level }) => level !== "error"));
  } finally {
    for (const leave of unsubscribe) leave();
    await Promise.all([client, ...single].map((chat: { close(): void }) => chat.close()));
    await Promise.all([client, ...single].map((chat) => chat[Symbol.asyncDispose]()));
    await hub[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});

function keep(...rooms: Room[]): Disposable {
  const unsubscribe = rooms.map((room) => room.subscribe(() => {}));
  return { [Symbol.dispose]: () => unsubscribe.forEach((leave) => leave()) };
}

function sum(lists: readonly (readonly unknown[])[]): number {
  return lists.reduce((count, list) => count + list.length, 0);
}

async function settled(condition: () => boolean, what: () => string): Promise<void> {
  const until = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > until) throw new Error(`It never came to it: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
