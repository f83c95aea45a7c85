// Display names of those who are there, over the wire and between isolates.

import { assertEquals } from "@std/assert";
import type { Authorize } from "@hubbub/hub";
import { Metrics, tokenOf } from "@hubbub/hub";
import { OutboundQueue } from "../../src/connection/outbound_queue.ts";
import { encodeStatusesV2 } from "../../src/hub/status_batch.ts";
import { MultiRoomClient } from "../helpers/multi_room_client.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serve, serveAlone, type TestServer } from "../helpers/test_server.ts";
import { BroadcastChannelFanout } from "@hubbub/hub";

const net = needs("net");

/** Tokens are `user.name`, with `_` for a space. */
const authorize: Authorize = (request) => {
  const [user, name] = (tokenOf(request) ?? "").split(".");
  return user === "" ? { denied: "Who are you?" } : { user, name: name?.replaceAll("_", " ") };
};

async function connect({ url }: TestServer, token: string): Promise<MultiRoomClient> {
  const client = new MultiRoomClient(url, `token=${token}`);
  await client.until(({ envelopes }) => envelopes.length > 0);
  await client.join("lobby");
  return client;
}

const joinedOf = (client: MultiRoomClient) => client.of("joined")[0].payload.users;
const presenceOf = (client: MultiRoomClient) => client.of("presence").map(({ payload }) => payload);
const authenticate = (token: string) => ({ type: "authenticate", payload: { token } }) as const;

Deno.test("Names stand beside users in joined and presence, on every isolate", net, async () => {
  using kv = await Deno.openKv(":memory:");
  const id = crypto.randomUUID();
  const options = () => ({ authorize, alone: false, fanout: new BroadcastChannelFanout(id) });
  await using one = serve(kv, options());
  await using two = serve(kv, options());
  await using cleo = await connect(two, "cleo");
  await using ann = await connect(one, "ann.Ann_Lee");
  await cleo.until((client) => presenceOf(client).length === 1);
  assertEquals(presenceOf(cleo), [{ joined: [{ user: "ann", name: "Ann Lee" }], left: [] }]);
  // Who comes later on the other isolate, in version 1 too: that has users alone.
  await using bob = await connect(two, "bob.Bob_B.");
  const users = [{ user: "ann", name: "Ann Lee" }, { user: "bob", name: "Bob B" }];
  assertEquals(joinedOf(bob), [...users, { user: "cleo" }]);
  await using old = await TestClient.join(two.url, "/rooms/lobby/ws?token=dan.Dan_D");
  assertEquals(old.joined?.users, ["ann", "bob", "cleo", "dan"]);
  await cleo.until((client) => presenceOf(client).length === 3);
  assertEquals(presenceOf(cleo)[2], { joined: [{ user: "dan", name: "Dan D" }], left: [] });

  ann.send(authenticate("ann.Ann_Mae"));
  await cleo.until((client) => presenceOf(client).length === 4);
  const renamed = [{ user: "ann", name: "Ann Mae" }];
  assertEquals(presenceOf(cleo)[3], { joined: [], left: [], renamed });
  await ann.until((client) => presenceOf(client).some(({ renamed }) => renamed !== undefined));
  // An isolate that opens the room now asks for all of it.
  await using three = serve(kv, options());
  await using eve = await connect(three, "eve");
  assertEquals(joinedOf(eve)[0], { user: "ann", name: "Ann Mae" });
  ann.send(authenticate("ann"));
  await eve.until((client) => presenceOf(client).length > 0);
  assertEquals(presenceOf(eve).at(-1), { joined: [], left: [], renamed: [{ user: "ann" }] });
  assertEquals(old.of("presence").map(({ user, status }) => [user, status]), [["eve", "joined"]]);
  assertEquals(Object.keys(old.of("presence")[0]), ["user", "status"]);
});

Deno.test("Of two connections the name that was said last is shown", net, async () => {
  await using server = await serveAlone({ authorize });
  await using bob = await connect(server, "bob");
  await using one = await connect(server, "ann.One");
  {
    await using _two = await connect(server, "ann.Two");
    await bob.until((client) => presenceOf(client).length === 2);
    assertEquals(presenceOf(bob)[1].renamed, [{ user: "ann", name: "Two" }]);
  }
  await bob.until((client) => presenceOf(client).length === 3);
  assertEquals(presenceOf(bob)[2].renamed, [{ user: "ann", name: "One" }]);
  // However often a name changes, others are told now and then.
  for (let n = 0; n < 5; n++) {
    one.send(authenticate(`ann.${n}`));
    const said = `${n}`;
    one.send({ type: "chat_message", room: "lobby", payload: { text: said } });
    await one.until((client) => client.said("lobby").includes(said));
  }
  const last = () => presenceOf(bob).at(-1)?.renamed?.[0].name;
  await bob.until(() => last() === "4");
  assertEquals(presenceOf(bob).length < 7, true);
});

Deno.test("Who is behind is told of a name once, of who came and went the net", async () => {
  const released: string[] = [];
  const queue = new OutboundQueue({
    metrics: new Metrics(),
    bufferedBytes: () => 0,
    hardLimitBytes: () => 40_000,
    onRelease: (changes) => released.push(...encodeStatusesV2("lobby", changes)),
    onTooSlow() {},
  });
  const tell = (user: string, status: boolean, name?: string, isRename = false) => {
    const changes = [{ kind: "presence", user, status, name, isRename }] as const;
    return queue.admits({ changes, length: 10 }, "lobby");
  };
  // It waits; the rest is held back.
  queue.admits({ changes: undefined, length: 12_000 });
  queue.push("x".repeat(12_000));
  tell("ann", true, "Ann", true);
  tell("ann", true, "Ann Mae", true);
  tell("bob", true, "Bob");
  tell("bob", true, "Bobby", true);
  tell("cleo", true, "Cleo", true);
  tell("cleo", false, "Cleo");
  tell("dan", false, "Dan");
  tell("dan", true, "Dan");
  tell("eve", false, "Eve");
  tell("eve", true, "Eva");
  queue.take();
  await eventually(() => released.length > 0, "what was held back");
  queue.close();
  const [text, ...rest] = released;
  assertEquals(rest, []);
  const { joined, left, renamed } = JSON.parse(text).payload;
  assertEquals(joined, [{ user: "bob", name: "Bobby" }]);
  assertEquals(left, ["cleo"]);
  assertEquals(renamed, [{ user: "ann", name: "Ann Mae" }, { user: "eve", name: "Eva" }]);
});
