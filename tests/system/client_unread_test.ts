// What is unread, by the client against the server: two windows, two isolates, a restart.

import { assertEquals } from "@std/assert";
import { type Authorize, BroadcastChannelFanout, tokenOf } from "@hubbub/hub";
import { type ChatClient, createClient, type Room } from "@hubbub/hub/client";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { serve } from "../helpers/test_server.ts";

const net = needs("net");

/** A token is a user's name. */
const authorize: Authorize = (request) => {
  const user = tokenOf(request) ?? "";
  return user === "" ? { denied: "Who are you?" } : { user };
};

function unreadIn({ rooms }: ChatClient): Record<string, [unread: number, mentions: number]> {
  return Object.fromEntries(
    rooms.snapshot.rooms.map(({ room, unread, mentions }) => [room, [unread, mentions]]),
  );
}

async function say(room: Room, ...texts: string[]): Promise<void> {
  for (const text of texts) await room.send({ text });
}

Deno.test(
  "Rooms and unread counts are the same in every window, on every isolate",
  net,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const name = crypto.randomUUID();
    await using one = serve(kv, { authorize, fanout: new BroadcastChannelFanout(name) });
    await using two = serve(kv, { authorize, fanout: new BroadcastChannelFanout(name) });
    await using bob = createClient(one.url, { token: "bob" });
    const [lobby, news] = ["lobby", "news"].map((name) => bob.room(name));
    {
      await using before = createClient(one.url, { token: "ann" });
      for (const name of ["lobby", "news", "quiet"]) await say(before.room(name), "hello");
      // Both rooms of a second are written down at its end.
      const isKept = async () => (await one.hub.log.userRooms.list("ann")).size === 3;
      await eventually(isKept, "the rooms to be written down");
    }
    await say(lobby, ...Array.from({ length: 30 }, (_, index) => `text ${index}`));
    await say(news, "hi @ann");

    await using desk = createClient(one.url, { token: "ann" });
    await using phone = createClient(two.url, { token: "ann" });
    for (const client of [desk, phone]) client.rooms.subscribe(() => {});
    const counts = { lobby: [30, 0], news: [1, 1], quiet: [0, 0] };
    const bothShow = (expected: object) =>
      eventually(
        () => [desk, phone].every((client) => equal(unreadIn(client), expected)),
        () => `unread: ${JSON.stringify([desk, phone].map(unreadIn))}`,
      );
    await bothShow(counts);
    assertEquals(desk.rooms.snapshot.rooms.map(({ room, last }) => [room, last?.text]), [
      ["news", "hi @ann"],
      ["lobby", "text 29"],
      ["quiet", "hello"],
    ]);
    // Live, on both isolates, without a subscription to the room.
    await say(lobby, "one more, @ann");
    await bothShow({ ...counts, lobby: [31, 1] });
    // Opened with less history than is unread, it counts the same, and knows the first.
    const opened = desk.room("lobby", { history: 10 });
    const close = opened.subscribe(() => {});
    await eventually(() => opened.snapshot.status === "live", "the room to be open");
    await eventually(() => opened.snapshot.firstUnread !== undefined, "the first unread");
    assertEquals([opened.snapshot.unread, opened.snapshot.mentions], [31, 1]);
    const first = await opened.find(opened.snapshot.firstUnread!);
    assertEquals(first?.text, "text 0");
    opened.markRead();
    await bothShow({ ...counts, lobby: [0, 0] });
    await say(lobby, "and one");
    await bothShow({ ...counts, lobby: [1, 0] });
    close();
    // A mark from the other window, in a room that is in the list alone here.
    phone.room("lobby").markRead();
    await bothShow({ ...counts, lobby: [0, 0] });
    await say(lobby, "and two");
    await bothShow({ ...counts, lobby: [1, 0] });
    await desk.rooms.forget("quiet");
    assertEquals(Object.keys(unreadIn(desk)).sort(), ["lobby", "news"]);
  },
);

Deno.test(
  "Marks outlast the server, and what is read meanwhile is told by the next stay",
  net,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const first = serve(kv, { authorize });
    const { port } = new URL(first.url);
    await using ann = createClient(first.url, { token: "ann", reconnect: { maxDelayMs: 100 } });
    await using bob = createClient(first.url, { token: "bob", reconnect: { maxDelayMs: 100 } });
    const lobby = ann.room("lobby");
    lobby.subscribe(() => {});
    await eventually(() => lobby.snapshot.status === "live", "ann to be there");
    await say(bob.room("lobby"), "one", "two");
    await eventually(() => lobby.snapshot.unread === 2, "two unread");
    await first[Symbol.asyncDispose]();
    lobby.markRead();
    assertEquals(lobby.snapshot.unread, 0);
    await using again = serve(kv, { authorize, port: Number(port) });
    await eventually(() => lobby.snapshot.status === "live", "ann to be back");
    await using phone = createClient(again.url, { token: "ann" });
    phone.rooms.subscribe(() => {});
    await eventually(
      () => equal(unreadIn(phone), { lobby: [0, 0] }),
      () => JSON.stringify(unreadIn(phone)),
    );
  },
);

function equal(one: object, other: object): boolean {
  const sorted = (of: object) => JSON.stringify(Object.entries(of).sort());
  return sorted(one) === sorted(other);
}
