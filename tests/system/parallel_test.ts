import { assert, assertEquals } from "@std/assert";
import type { Message } from "@hubbub/hub";
import { fetchJson, readPages, startParallel, withFolder } from "../helpers/parallel_server.ts";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { numbers } from "../helpers/stored_lines.ts";
import { Talker } from "../helpers/talker.ts";
import { pause } from "../helpers/test_isolates.ts";

const processes = needs("run", "net", "read", "write", "env");
const ISOLATES = 4;
/** Messages that one client has on the way at once, at most. */
const BURST = 50;

interface Health {
  readonly status: string;
  readonly reach: string;
  readonly peers: number;
  readonly connections: number;
}

/** Talkers in a room: they reach different isolates, as the kernel spreads connections. */
async function join(url: string, room: string, users: readonly string[]): Promise<Talker[]> {
  const talkers = users.map((user) => new Talker(user, room));
  await Promise.all(talkers.map((talker) => talker.join(url)));
  return talkers;
}

async function leave(talkers: readonly Talker[]): Promise<void> {
  await Promise.all(talkers.map((talker) => talker.leave()));
}

/** Asks so many times, over connections of their own, how an isolate is. */
function askHealth(url: string, times: number): Promise<Health[]> {
  return Promise.all(numbers(times).map(() => fetchJson<Health>(`${url}/health`)));
}

/** Checks that each sender's messages stand in the order in which they were sent. */
function assertOrderOfSenders(log: readonly Message[]): void {
  const last = new Map<string, number>();
  for (const { user, ref } of log) {
    const number = Number(ref?.split("-").at(-1));
    assert(number > (last.get(user) ?? -1), `${ref} of ${user} after ${last.get(user)}`);
    last.set(user, number);
  }
}

Deno.test("several isolates show a burst of 5,000 messages to 50 clients in one order", {
  ...processes,
}, async () => {
  await withFolder(async (kv) => {
    await using server = await startParallel(kv);
    const each = 100;
    const talkers = await join(server.url, "lobby", numbers(50).map((index) => `user${index}`));
    for (const number of numbers(each)) {
      for (const talker of talkers) talker.say(`${talker.user}-${number}`, `message ${number}`);
    }
    const total = talkers.length * each;
    for (const talker of talkers) await talker.until(({ messages }) => messages.length >= total);
    const log = await readPages(server.url, "lobby");
    assertEquals(log.length, total);
    assertEquals(new Set(log.map(({ id }) => id)).size, total);
    assertOrderOfSenders(log);
    for (const talker of talkers) {
      assertEquals(talker.messages, log);
      assertEquals([talker.pending.size, talker.confirmed.size], [0, each]);
    }
    // A page is the same whichever isolate gives it.
    const pages = await Promise.all(
      numbers(12).map(() => {
        return fetchJson<{ messages: Message[] }>(`${server.url}/rooms/lobby/messages?limit=100`);
      }),
    );
    for (const { messages } of pages) assertEquals(messages, log.slice(-100));
    const health = await askHealth(server.url, 24);
    const spread = new Set(health.map(({ connections }) => connections));
    assert(spread.size > 1 && !spread.has(50), `the kernel spread them: ${[...spread]}`);
    await leave(talkers);
    assertEquals((await server.stop("SIGTERM")).code, 0);
  });
});

Deno.test("several isolates know each other, and /health says so", { ...processes }, async () => {
  await withFolder(async (kv) => {
    await using server = await startParallel(kv);
    let health: Health[] = [];
    while (health.length === 0 || health.some(({ peers }) => peers < ISOLATES - 1)) {
      health = await askHealth(server.url, 12);
    }
    for (const { status, reach, peers } of health) {
      assertEquals([status, reach, peers], ["ok", "fanout", ISOLATES - 1]);
    }
  });
});

Deno.test("several isolates share presence and typing", { ...processes }, async () => {
  await withFolder(async (kv) => {
    await using server = await startParallel(kv);
    const users = numbers(16).map((index) => `user${index}`).sort();
    const talkers = await join(server.url, "lobby", users);
    const [ann, ...others] = talkers;
    const untilAll = (holds: (talker: Talker) => boolean) =>
      Promise.all(others.map((talker) => talker.until(holds)));
    for (const talker of talkers) await talker.until(({ users: { size } }) => size === 16);
    ann.type(true);
    await untilAll(({ typing }) => typing.has(ann.user));
    // Who comes now, to any isolate, sees who is here and who is typing.
    const guests = await join(server.url, "lobby", numbers(8).map((index) => `guest${index}`));
    for (const guest of guests) {
      const [joined] = guest.told;
      assert(joined.type === "joined");
      assertEquals(joined.payload.typing, [ann.user]);
      for (const user of users) assert(joined.payload.users.includes(user), user);
    }
    ann.say("1", "done");
    await untilAll(({ messages }) => messages.length === 1);
    for (const talker of [...others, ...guests]) assertEquals(talker.typing.size, 0);
    // More tabs change nothing, and neither does closing some of them.
    const tabs = await join(server.url, "lobby", numbers(8).map(() => ann.user));
    await leave(guests);
    await untilAll(({ users: { size } }) => size === 16);
    ann.type(true);
    await untilAll(({ typing }) => typing.has(ann.user));
    await leave([ann, ...tabs]);
    await untilAll(({ users: { size } }) => size === 15);
    for (const talker of others) {
      const presence = talker.told.filter((envelope) => envelope.type === "presence");
      const ofAnn = presence.filter(({ payload }) => payload.user === ann.user);
      assertEquals(ofAnn.at(-1)?.payload.status, "left");
      assert(ofAnn.length <= 2, "once each");
      const typing = talker.told.filter((envelope) => envelope.type === "typing_status");
      const statuses = typing.map(({ payload }) => payload.status);
      assertEquals(statuses, [true, false, true, false]);
    }
    await leave(others);
  });
});

Deno.test("kill -9 in a burst, five times: nothing acknowledged is lost, and nothing is doubled", {
  ...processes,
}, async () => {
  await withFolder(async (kv) => {
    const talkers = numbers(20).map((index) => new Talker(`user${index}`, "lobby"));
    let each = 0;
    for (const round of [0, 1, 2, 3, 4]) {
      await using server = await startParallel(kv);
      await Promise.all(talkers.map((talker) => talker.join(server.url)));
      const enough = talkers[0].messages.length + 300 * (1 + round);
      while (talkers[0].messages.length < enough) {
        // A burst, and no more than comes back: a busy machine would never be through.
        if (talkers.every(({ pending }) => pending.size < BURST)) {
          for (const talker of talkers) talker.say(`${talker.user}-${each}`, `message ${each}`);
          each++;
        }
        await pause(2);
      }
      // In the middle of a burst: nobody has had the time to answer these.
      for (const talker of talkers) talker.say(`${talker.user}-${each}`, `message ${each}`);
      each++;
      const stopped = server.stop("SIGKILL");
      assert(talkers.every(({ pending }) => pending.size > 0));
      assertEquals((await stopped).signal, "SIGKILL");
      await Promise.all(talkers.map(({ closed }) => closed));
    }
    await using server = await startParallel(kv);
    await Promise.all(talkers.map((talker) => talker.join(server.url)));
    const total = talkers.length * each;
    for (const talker of talkers) {
      await talker.until(({ pending, messages }) => {
        return pending.size === 0 && messages.length >= total;
      });
    }
    const log = await readPages(server.url, "lobby");
    assertEquals(log.length, total);
    assertEquals(new Set(log.map(({ user, ref }) => `${user} ${ref}`)).size, total);
    assertOrderOfSenders(log);
    const byId = new Map(log.map((message) => [message.id, message]));
    for (const talker of talkers) {
      assertEquals(talker.messages, log);
      assertEquals(talker.recovered, [true, true, true, true, true]);
      assertEquals(talker.confirmed.size, each);
      for (const message of talker.confirmed.values()) assertEquals(byId.get(message.id), message);
    }
    await leave(talkers);
  });
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} stops several isolates within 4 s, and tells their clients`, {
    ...processes,
  }, async () => {
    await withFolder(async (kv) => {
      await using server = await startParallel(kv);
      const talkers = await join(server.url, "lobby", numbers(12).map((index) => `user${index}`));
      // A client that reads nothing, and answers nothing.
      using stuck = await RawSocket.open(`${server.url}/rooms/lobby/ws?user=stuck`);
      assertEquals(stuck.status, 101);
      for (const talker of talkers) talker.say(talker.user, "last words");
      const { code, tookMs } = await server.stop(signal);
      assertEquals(code, 0);
      assert(tookMs < 4_500, `${tookMs} ms`);
      const closes = await Promise.all(talkers.map(({ closed }) => closed));
      closes.forEach((close, index) => {
        const draining = talkers[index].told.find(({ type }) => type === "draining");
        assertEquals([close.code, draining?.type], [4000, "draining"]);
      });
      const events = server.lines.map((line) => JSON.parse(line).event);
      assertEquals(events.filter((event) => event === "stopped").length, 1);
      assertEquals(events.includes("uncaught"), false);
      // What was acknowledged is there after the next start.
      await using again = await startParallel(kv);
      const stored = (await readPages(again.url, "lobby")).map(({ ref }) => ref);
      for (const { confirmed } of talkers) {
        for (const ref of confirmed.keys()) assert(stored.includes(ref), ref);
      }
    });
  });
}
