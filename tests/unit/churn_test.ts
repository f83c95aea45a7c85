import { assert, assertEquals } from "@std/assert";
import type { Hub, KvRoomLog, Message, Subscription } from "@hubbub/hub";
import { injectFaults, type KvFaults } from "../helpers/kv_faults.ts";
import { assertRun, readLog } from "../helpers/log_run.ts";
import { Random } from "../helpers/random.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { payloadsOf, TestMember } from "../helpers/test_member.ts";

const ROOMS = ["lobby", "kitchen", "attic"];
const MEMBERS = 200;
const STEPS = 3_000;

/** One stay of a user in a room. */
interface Stay {
  readonly room: string;
  readonly member: TestMember;
  readonly subscription: Subscription;
  /** Where it resumed, if it did. */
  readonly after?: string;
  /** Texts in the order in which they were said. */
  readonly said: string[];
  hasLeft: boolean;
}

/** Members who join, talk, type, leave and resume at random. */
class Churn {
  readonly stays: Stay[] = [];
  readonly #hub: Hub;
  readonly #random: Random;
  readonly #present = new Map<string, Stay>();
  readonly #lastSeen = new Map<string, string>();
  #texts = 0;

  constructor(hub: Hub, random: Random) {
    this.#hub = hub;
    this.#random = random;
  }

  step(): void {
    const user = `user ${this.#random.below(MEMBERS)}`;
    const stay = this.#present.get(user);
    if (!stay) return this.#join(user);
    const dice = this.#random.next();
    if (dice < 0.1) this.leave(stay);
    else if (dice < 0.25) stay.subscription.typing(this.#random.next() < 0.8);
    else this.#talk(stay);
  }

  leave(stay: Stay): void {
    stay.subscription.leave();
    stay.hasLeft = true;
    const { user, messages } = stay.member;
    this.#present.delete(user);
    const place = messages.at(-1)?.cursor;
    if (place) this.#lastSeen.set(`${stay.room} ${user}`, place);
  }

  leaveAll(): void {
    for (const stay of this.#present.values()) this.leave(stay);
  }

  #join(user: string): void {
    const room = this.#random.pick(ROOMS);
    const member = new TestMember(user);
    const place = this.#lastSeen.get(`${room} ${user}`);
    const after = this.#random.next() < 0.6 ? place : undefined;
    const history = this.#random.below(101);
    const subscription = this.#hub.join(room, member, { after, history });
    const stay = { room, member, subscription, after, said: [], hasLeft: false };
    this.#present.set(user, stay);
    this.stays.push(stay);
  }

  #talk(stay: Stay): void {
    const text = `${stay.member.user}: ${this.#texts++}`;
    // Every seventh is sent twice: it must be one message all the same.
    const ref = this.#texts % 7 === 0 ? text : undefined;
    stay.said.push(text);
    stay.subscription.publish({ text, ref });
    if (ref) stay.subscription.publish({ text, ref });
  }
}

/** Takes out what a member got as the answer to a repeat: the very message that it also got live. */
function withoutAnswers(messages: readonly Message[]): Message[] {
  const seen = new Set<string>();
  return messages.filter(({ id, ref }) => {
    if (ref !== undefined && seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/** Checks what one stay saw and said against the log. */
function checkStay(stay: Stay, log: readonly Message[], canFail: boolean): void {
  const { member, after, said } = stay;
  if (member.frames.length === 0) return assert(stay.hasLeft, "left before its history came");
  const { envelopes } = member;
  const messages = withoutAnswers(payloadsOf(envelopes, "chat_message"));
  const joinedAt = envelopes.findIndex(({ type }) => type === "joined");
  if (joinedAt === -1) return void assertRun(messages, log);
  const history = envelopes.slice(0, joinedAt);
  assert(history.every(({ type }) => type === "chat_message"), "something came before the history");
  assert(member.joined.recovered, "every cursor here is one that the hub gave");
  // The history ends where `joined` says, and begins where the member asked.
  const stood = log.findIndex(({ cursor }) => cursor === member.joined.cursor);
  const first = after === undefined
    ? stood + 1 - history.length
    : log.findIndex(({ cursor }) => cursor === after) + 1;
  assertEquals(first + history.length, stood + 1, "a gap before what is live");
  const end = assertRun(messages, log, first);
  if (!stay.hasLeft) assertEquals(end, log.length, "the end of the log is missing");
  // Its own order; and what it said is stored once, or it was told that it is not, if it was there.
  const own = new Set(said);
  const stored = log.filter(({ text }) => own.has(text)).map(({ text }) => text);
  const isStored = new Set(stored);
  assertEquals(stored, said.filter((text) => isStored.has(text)));
  const missing = said.length - stored.length;
  const told = stay.hasLeft && canFail ? Infinity : member.of("error").length;
  assert(missing <= told, `${missing} neither stored nor refused`);
}

async function check(
  log: KvRoomLog,
  churn: Churn,
  canFail: boolean,
): Promise<{ messages: number; seen: number }> {
  let [messages, seen] = [0, 0];
  for (const room of ROOMS) {
    const all = await readLog(log, room);
    messages += all.length;
    const cursors = all.map(({ cursor }) => cursor);
    assertEquals(cursors, cursors.toSorted());
    assertEquals(new Set(all.map(({ id }) => id)).size, all.length);
    for (const stay of churn.stays.filter((stay) => stay.room === room)) {
      seen += stay.member.messages.length;
      try {
        checkStay(stay, all, canFail);
      } catch (error) {
        throw new Error(`${stay.member.user} in ${room}, after ${stay.after}`, { cause: error });
      }
    }
  }
  return { messages, seen };
}

/** Lets commits take a while, and the share of `failing` fail: half of those are written. */
function disturb(faults: KvFaults, random: Random, failing: number): void {
  faults.commit = async (commit) => {
    for (let turn = random.below(4); turn > 0; turn--) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    const dice = random.next();
    if (dice < failing / 2) throw new Error("disk full");
    const result = await commit();
    if (dice < failing) throw new Error("connection lost");
    return result;
  };
}

const RUNS = [
  { seed: 1, failing: 0 },
  { seed: 20_261_123, failing: 0.1 },
];

for (const { seed, failing } of RUNS) {
  const share = failing === 0 ? "no" : `${100 * failing} % of the`;
  const name =
    `200 members come, talk and go at random with ${share} commits failing, seed ${seed}`;
  Deno.test(name, async () => {
    using kv = await Deno.openKv(":memory:");
    const random = new Random(seed);
    const faults = injectFaults(kv);
    disturb(faults, random, failing);
    const { hub, log, events } = createTestHub(kv);
    const churn = new Churn(hub, random);
    for (let step = 0; step < STEPS; step++) {
      churn.step();
      if (random.next() < 0.1) await new Promise((resolve) => setTimeout(resolve));
      else if (random.next() < 0.3) await Promise.resolve();
    }
    // Whoever is still here gets everything that was said.
    await Promise.all(churn.stays.map(({ subscription }) => subscription.joined));
    faults.commit = undefined;
    for (const room of ROOMS) await hub.publish(room, "the end", { text: "the end" });
    const { messages, seen } = await check(log, churn, failing > 0);
    assert(messages > 1_500, `${messages} messages`);
    assert(seen > 40_000, `${seen} seen`);
    // What was refused was refused because of a commit that failed, and nothing else went wrong.
    const codes = churn.stays.flatMap(({ member }) => member.of("error").map(({ code }) => code));
    assertEquals(new Set(codes), new Set(failing === 0 ? [] : ["not_stored"]));
    const kinds = new Set(events.map(({ event }) => event));
    assertEquals(kinds, new Set(failing === 0 ? [] : ["commit_failed"]));
    // What was written although it failed is in the log as well.
    assert(messages >= hub.metrics.messagesStored);
    if (failing === 0) assertEquals(messages, hub.metrics.messagesStored);
    churn.leaveAll();
    assertEquals(hub.roomCount, 0, "everybody left");
  });
}
