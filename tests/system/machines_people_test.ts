// People over processes that share a PostgreSQL and a NATS: names, sanctions, the deletion of a room
// and the erasing of a user, asked of one process and seen by another, and after that one has died.

import { assertEquals } from "@std/assert";
import type { HubProcess } from "../helpers/hub_process.ts";
import { startMachine } from "../helpers/machines.ts";
import { MultiRoomClient } from "../helpers/multi_room_client.ts";
import { hasNats, NatsServer } from "../helpers/nats_server.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { hasPostgres, PostgresServer } from "../helpers/postgres_server.ts";
import { assertRefused } from "../helpers/requests.ts";
import { signWithSecret } from "../helpers/tokens.ts";

const real = needs("net", "run", "read", "write", "env");
const ignore = real.ignore || !await hasPostgres() || !await hasNats();
const SECRET = "a secret of processes that share a database";
const ADMIN = "an_admin_token_of_32_characters_or_more";

const tokenOf = (sub: string, role = "member") => {
  const exp = Math.floor(Date.now() / 1000) + 600;
  return signWithSecret({ sub, name: `The ${sub}`, rooms: { "*": role }, exp }, SECRET);
};

/** Connects to a process, and joins both rooms. */
async function enter(to: HubProcess, user: string, role?: string): Promise<MultiRoomClient> {
  const client = new MultiRoomClient(to.url, `token=${await tokenOf(user, role)}`);
  await client.until(({ envelopes }) => envelopes.length > 0);
  await client.join("lobby", "hall");
  return client;
}

function ask(of: HubProcess, method: string, path: string, body?: object, token = ADMIN) {
  const headers = { authorization: `Bearer ${token}` };
  return fetch(of.url + path, { method, headers, body: body && JSON.stringify(body) });
}

async function done(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const text = await response.text();
  assertEquals(response.ok, true, text);
  return text;
}

const say = (room: string, text: string) =>
  ({ type: "chat_message", room, payload: { text } }) as const;

Deno.test("people are named, put out, erased and sent away by whichever process", {
  ...real,
  ignore,
}, async () => {
  await using postgres = await PostgresServer.start();
  await using nats = await NatsServer.start();
  const shared = { postgres: await postgres.createDatabase(), nats: nats.url };
  const environment = { HUBBUB_JWT_SECRET: SECRET, HUBBUB_ADMIN_TOKEN: ADMIN };
  const start = () => startMachine(shared, environment);
  const [a, b] = await Promise.all([start(), start()]);
  await using _a = a;
  await using _b = b;
  await using ann = await enter(a, "ann");
  await using bob = await enter(b, "bob");
  await using mod = await enter(b, "mod", "moderator");
  const names = () => {
    const there = ann.of("presence", "lobby").flatMap(({ payload }) => payload.joined);
    return [...ann.of("joined", "lobby")[0].payload.users, ...there]
      .map(({ user, name }) => `${user}: ${name}`);
  };
  await eventually(() => names().includes("bob: The bob"), () => `bob among ${names()}`);
  await eventually(() => names().includes("mod: The mod"), () => `mod among ${names()}`);
  bob.send(say("lobby", "from b"), say("hall", "in the hall"));
  await ann.until((client) => client.said("lobby").includes("from b"));
  await ann.until((client) => client.said("hall").includes("in the hall"));

  // A moderator of the other process is no target of one, wherever it is asked.
  const cleo = await tokenOf("cleo", "moderator");
  for (const machine of [a, b]) {
    const body = { user: "mod", kind: "ban" };
    const answer = await ask(machine, "POST", "/rooms/lobby/sanctions", body, cleo);
    await assertRefused(answer, 403, "forbidden");
  }

  // Bob is muted and banned through the process that he is not at.
  const sanction = (kind: string) =>
    done(ask(a, "POST", "/rooms/lobby/sanctions", { user: "bob", kind }, cleo));
  await sanction("mute");
  await eventually(() => {
    bob.send({ type: "typing_status", room: "lobby", payload: { status: true } });
    return bob.of("error").some(({ payload }) => payload.code === "muted");
  }, "bob to be muted");
  await sanction("ban");
  await bob.until((client) => client.of("left").length === 1);
  assertEquals([bob.of("left")[0].room, bob.of("left")[0].payload.code], ["lobby", "banned"]);
  ann.send(say("lobby", "without bob"));
  await mod.until((client) => client.said("lobby").includes("without bob"));
  assertEquals(bob.said("lobby"), ["from b"]);

  // What he wrote is erased in all rooms, and everybody is told.
  const erased = (await done(ask(a, "DELETE", "/users?user=bob"))).trimEnd().split("\n");
  assertEquals(JSON.parse(erased.at(-1)!), { rooms: 2, messages: 2, reactions: 0, done: true });
  for (const client of [ann, mod]) {
    await client.until((client) => client.of("user_erased").length === 2);
  }
  for (const machine of [a, b]) {
    const page = await done(ask(machine, "GET", "/rooms/lobby/messages"));
    assertEquals([page.includes("from b"), page.includes("without bob")], [false, true]);
  }

  // A room is deleted: its members of both processes have to leave it.
  await done(ask(b, "DELETE", "/rooms/hall"));
  for (const client of [ann, mod, bob]) {
    await client.until((client) => client.of("left", "hall").length === 1);
    assertEquals(client.of("left", "hall")[0].payload.code, "room_deleted");
  }
  assertEquals(JSON.parse(await done(ask(a, "GET", "/rooms/hall/messages"))).messages, []);
  await ann.join("hall");
  ann.send(say("hall", "anew"));
  await ann.until((client) => client.said("hall").includes("anew"));

  // The process that was asked dies; the ban stays, at the other and at one that starts anew.
  a.signal("SIGKILL");
  await a.end();
  await using c = await start();
  const token = await tokenOf("bob");
  for (const machine of [b, c]) {
    const answer = await ask(machine, "GET", "/rooms/lobby/messages", undefined, token);
    await assertRefused(answer, 403, "banned");
    const posted = await ask(machine, "POST", "/rooms/lobby/messages", { text: "hi" }, token);
    await assertRefused(posted, 403, "banned");
  }
  await done(ask(b, "DELETE", "/rooms/lobby/sanctions?user=bob"));
  await eventually(async () => {
    const posted = await ask(c, "POST", "/rooms/lobby/messages", { text: "back" }, token);
    await posted.body?.cancel();
    return posted.status === 201;
  }, "bob to be let in");
  await mod.until((client) => client.said("lobby").includes("back"));
});
