// What a hub does in memory, beside a plain loop over the same callbacks, which stores nothing,
// orders nothing and knows no history. The database is in memory too: no disk is measured.

import { type EnvelopeBatch, Hub, KvRoomLog, type Member } from "@hubbub/hub";
import { DEDUPLICATION_WINDOW, encodeEnvelope, HISTORY_DEFAULT } from "@hubbub/hub/protocol";

const TEXT = "hello everyone in this room, how are you today?";
/** Messages that are sent at the same time. */
const AT_ONCE = 64;
const MEMBERS = [10, 100, 1_000];
/** Members that are in the room when a newcomer joins. */
const ALREADY_HERE = 100;

/** A member that only counts what it gets. */
class Counter implements Member {
  readonly user: string;
  envelopes = 0;

  constructor(user: string) {
    this.user = user;
  }

  send(frame: EnvelopeBatch): void {
    this.envelopes += frame.envelopes.length;
  }

  /** The same without a hub. */
  take(_envelope: string): void {
    this.envelopes++;
  }

  close(): void {}
}

for (const count of MEMBERS) {
  const group = `${AT_ONCE} messages to ${count} members`;
  const counters = createCounters(count);
  const hub = await openHub(counters);
  Deno.bench({
    name: `a loop over ${count} callbacks`,
    group,
    baseline: true,
    fn() {
      for (let i = 0; i < AT_ONCE; i++) {
        const envelope = composeEnvelope();
        for (const counter of counters) counter.take(envelope);
      }
    },
  });
  Deno.bench({
    name: `Hub.publish() to ${count} members`,
    group,
    fn: async () => {
      const before = counters[0].envelopes;
      await Promise.all(
        Array.from({ length: AT_ONCE }, () => hub.publish("lobby", "ann", { text: TEXT })),
      );
      const got = counters[0].envelopes - before;
      if (got < AT_ONCE) throw new Error(`A member got ${got} of ${AT_ONCE} messages`);
    },
  });
}

{
  const group = `a newcomer's history of ${HISTORY_DEFAULT}`;
  const envelopes = Array.from({ length: DEDUPLICATION_WINDOW.minMessages }, composeEnvelope);
  const newcomer = new Counter("zoe");
  const hub = await openHub(createCounters(ALREADY_HERE));
  for (let i = 0; i < DEDUPLICATION_WINDOW.minMessages; i++) {
    await hub.publish("lobby", "ann", { text: TEXT });
  }
  Deno.bench({
    name: "a loop over a slice of an array",
    group,
    baseline: true,
    fn() {
      for (const envelope of envelopes.slice(-HISTORY_DEFAULT)) newcomer.take(envelope);
    },
  });
  Deno.bench({
    name: `Hub.join() and Subscription.leave() beside ${ALREADY_HERE} members`,
    group,
    fn: async () => {
      const before = newcomer.envelopes;
      const subscription = hub.join("lobby", newcomer, { history: HISTORY_DEFAULT });
      await subscription.joined;
      subscription.leave();
      const got = newcomer.envelopes - before;
      if (got <= HISTORY_DEFAULT) throw new Error(`The newcomer got ${got} envelopes`);
    },
  });
}

function createCounters(count: number): Counter[] {
  return Array.from({ length: count }, (_, i) => new Counter(`user${i}`));
}

async function openHub(members: readonly Member[]): Promise<Hub> {
  const hub = new Hub(new KvRoomLog(await Deno.openKv(":memory:")), { alone: true });
  for (const member of members) await hub.join("lobby", member).joined;
  return hub;
}

function composeEnvelope(): string {
  const [id, cursor] = ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "000000000000000123450003"];
  const sent_at = "2026-01-02T03:04:05.678Z";
  const payload = { id, cursor, room: "lobby", user: "ann", text: TEXT, sent_at };
  return encodeEnvelope({ type: "chat_message", payload });
}
