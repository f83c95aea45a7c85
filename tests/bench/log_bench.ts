// Durable appends on a database file: 200 senders in 50 rooms, each waiting until what it sent is
// stored before it sends more, beside the same senders who each wait for one `kv.set` a message.

import { monotonicUlid } from "@std/ulid/monotonic-ulid";
import { Hub, KvRoomLog } from "@hubbub/hub";
import { type EntryLine, entryLine } from "../../src/store/entry_line.ts";
import { type Append, GroupCommit } from "../../src/store/group_commit.ts";

const SENDERS = 200;
const ROOMS = 50;
/** How many messages of each sender are on their way at the same time. */
const IN_FLIGHT = [1, 8];
/** Messages of one iteration: so many that SQLite has to move its write-ahead log a few times. */
const MESSAGES = 12_800;
const ITERATIONS = 4;
const TEXT = "hello everyone in this room, how are you today?";

/** Stores one message of a user in a room. */
type Store = (room: string, user: string) => Promise<unknown>;

/** A way to store messages, on a database just opened. */
interface Way {
  readonly store: Store;
  readonly stop?: () => Promise<void>;
}

for (const inFlight of IN_FLIGHT) {
  const group =
    `${MESSAGES} messages of ${SENDERS} senders in ${ROOMS} rooms, ${inFlight} in flight`;
  benchWay("kv.set() for each message", { group, inFlight, open: openSets });
  benchWay("GroupCommit and KvRoomLog.append()", { group, inFlight, open: openGroupCommit });
  benchWay("Hub.publish(), every sender a member", { group, inFlight, open: openHub });
}

function benchWay(
  name: string,
  { group, inFlight, open }: {
    readonly group: string;
    readonly inFlight: number;
    readonly open: (kv: Deno.Kv) => Promise<Way> | Way;
  },
): void {
  Deno.bench({
    name: `${name}, ${inFlight} in flight`,
    group,
    baseline: open === openSets,
    n: ITERATIONS,
    warmup: 1,
    // Deno awaits what is declared as async, and not what returns a promise.
    fn: async (bench) => {
      const folder = await Deno.makeTempDir({ prefix: "hubbub-bench-" });
      try {
        using kv = await Deno.openKv(`${folder}/kv.sqlite3`);
        const { store, stop } = await open(kv);
        await sendAll(store, { inFlight, messages: SENDERS * inFlight });
        bench.start();
        await sendAll(store, { inFlight, messages: MESSAGES });
        bench.end();
        await stop?.();
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

async function sendAll(
  store: Store,
  { inFlight, messages }: { readonly inFlight: number; readonly messages: number },
): Promise<void> {
  const each = messages / SENDERS / inFlight;
  await Promise.all(Array.from({ length: SENDERS * inFlight }, async (_, i) => {
    const sender = i % SENDERS;
    for (let sent = 0; sent < each; sent++) await store(roomOf(sender), `user${sender}`);
  }));
}

function openSets(kv: Deno.Kv): Way {
  return {
    store: (room, user) =>
      kv.set(["rooms", room, "log", monotonicUlid()], composeLine(user, monotonicUlid())),
  };
}

function openGroupCommit(kv: Deno.Kv): Way {
  const log = new KvRoomLog(kv);
  const commits = new GroupCommit<Append & { readonly stored: () => void }>({
    limits: log,
    write: (entries) => log.append(entries),
    onCommit: (_, batch) => {
      for (const appends of batch.values()) for (const { stored } of appends) stored();
    },
    onFailure: (_, error) => {
      throw error;
    },
  });
  const store: Store = (room, user) =>
    new Promise<void>((stored) => {
      const id = monotonicUlid();
      commits.add({ room, line: composeLine(user, id), id, stored });
    });
  return { store };
}

async function openHub(kv: Deno.Kv): Promise<Way> {
  const hub = new Hub(new KvRoomLog(kv), { alone: true });
  for (let sender = 0; sender < SENDERS; sender++) {
    const member = { user: `user${sender}`, send() {}, close() {} };
    await hub.join(roomOf(sender), member).joined;
  }
  const store: Store = async (room, user) => {
    const { status } = await hub.publish(room, user, { text: TEXT });
    if (status !== "stored") throw new Error(`A message is ${status}`);
  };
  return { store, stop: () => hub.drain() };
}

function roomOf(sender: number): string {
  return `room${sender % ROOMS}`;
}

function composeLine(user: string, id: string): EntryLine {
  const sent_at = new Date().toISOString();
  return entryLine(JSON.stringify({ id, user, text: TEXT, sent_at }));
}
