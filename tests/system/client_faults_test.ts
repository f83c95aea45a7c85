import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { connect, type StoredMessage } from "@hubbub/hub/client";
import { type Fate, type Fault, FaultProxy } from "../helpers/fault_proxy.ts";
import { readLog } from "../helpers/log_run.ts";
import { within } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { Random } from "../helpers/random.ts";
import { received, until } from "../helpers/received.ts";
import { serveAlone } from "../helpers/test_server.ts";

const MESSAGES_EACH = 5_000;
const FAULTS = 100;
/** Messages that one user has on the way at once. */
const WINDOW = 200;

const FAULT_KINDS: readonly Fault[] = [
  "cut",
  "cut",
  "cut",
  "half_close_down",
  "half_close_down",
  "half_close_up",
  "half_close_up",
  "stall",
];

/** Until there were enough faults, each connection meets one: some in the handshake, most later. */
function fates(seed: number, struck: () => number): (index: number) => Fate {
  const random = new Random(seed);
  return () => {
    if (struck() >= FAULTS) return {};
    const afterBytes = 1 + (random.chance(0.2) ? random.below(600) : random.below(40_000));
    const fault = random.pick(FAULT_KINDS);
    const pieceBytes = random.chance(0.5) ? 1 + random.below(500) : Infinity;
    const delayMs = random.chance(0.1) ? 1 + random.below(3) : 0;
    return { fault, afterBytes, pieceBytes, delayMs };
  };
}

Deno.test("connect() brings 10,000 messages through 100 faults: each once, in the log's order", {
  ...needs("net"),
}, async () => {
  await using server = await serveAlone({ limits: { messages_per_second: 0 } });
  let proxy!: FaultProxy;
  await using faulty = proxy = new FaultProxy(server.port, fates(20261122, () => proxy.struck));
  const join = (user: string) =>
    connect(faulty.url, {
      room: "lobby",
      user,
      reconnect: { minDelayMs: 5, maxDelayMs: 50 },
      // Long enough for both ends, which share a busy machine, to say something.
      quietMs: 600,
    });
  await using ann = join("ann");
  await using bob = join("bob");
  const seen = [received(ann), received(bob)];

  const say = async (chat: typeof ann) => {
    const stored: StoredMessage[] = [];
    let next = 0;
    const speak = async () => {
      while (next < MESSAGES_EACH) {
        const number = next++;
        stored[number] = await chat.send(`${chat.user} ${number}`);
      }
    };
    await Promise.all(Array.from({ length: WINDOW }, speak));
    return stored;
  };
  const sent = await within(
    Promise.all([say(ann), say(bob)]),
    () => `all to be sent: ${seen.map(({ length }) => length)} came, ${proxy.struck} faults struck`,
    150_000,
  );
  for (const [index, chat] of [ann, bob].entries()) {
    await until(chat, () => seen[index].length >= 2 * MESSAGES_EACH);
  }

  const records = await readLog(server.log, "lobby");
  const places = records.map(({ cursor }) => cursor);
  assertEquals(places.length, 2 * MESSAGES_EACH);
  for (const messages of seen) assertEquals(messages.map(({ cursor }) => cursor), places);
  for (const [index, user] of ["ann", "bob"].entries()) {
    const own = seen[0].filter((message) => message.user === user);
    // Stored in the order in which they were said, and each promise settled with its own message.
    assertEquals(own.map(({ text }) => text), own.map((_, number) => `${user} ${number}`));
    assertEquals(sent[index].map(({ cursor }) => cursor), own.map(({ cursor }) => cursor));
  }
  assertGreaterOrEqual(faulty.struck, FAULTS);
});
