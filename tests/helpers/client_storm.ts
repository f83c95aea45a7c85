import { assert, assertEquals } from "@std/assert";
import { type ChatConnection, connect, type StoredMessage } from "@hubbub/hub/client";
import type { Message } from "@hubbub/hub/protocol";
import { received, until } from "./received.ts";
import { Storm, type StormOptions, type StormReport, tokenOf, within } from "./storm.ts";

/** Messages that one user has on the way at once. */
const WINDOW = 200;

/**
 * Two users send messages through a proxy while everything goes wrong that can: connections are cut,
 * fall silent or close halfway, gateways answer in the server's stead, tokens are stale, broken or
 * never come, the clock is set, the server is killed. Checks that each message is stored once, that
 * each promise resolves with its own message, that both users get the whole log in its order, and
 * that no connection ends but where the hub says so.
 */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  const { messages, faults } = options;
  // A fault strikes before so many bytes that there is time for all of them.
  await using storm = await Storm.start(options, Math.ceil(200 * messages / faults));
  await using chats = new AsyncDisposableStack();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  const before = <T>(promise: Promise<T>) => within(Promise.race([promise, broken.promise]));
  const members = ["ann", "bob"].map((user) => {
    const chat = connect(storm.url, {
      room: "lobby",
      token: () => storm.token(user),
      reconnect: { minDelayMs: 5, maxDelayMs: 100 },
      quietMs: 200,
    });
    chats.use(chat);
    return new StormMember(chat, broken.reject);
  });
  const all = (holds: (member: StormMember) => boolean) =>
    before(Promise.all(members.map((member) => until(member.chat, () => holds(member)))));
  await all(({ chat }) => chat.state.status === "live");
  const done = Promise.all(members.map((member) => {
    return member.speak(messages / members.length, () => storm.isOver);
  }));
  const [first] = members;
  await storm.kill((count) => before(until(first.chat, () => first.seen.length >= count)));
  const said = (await before(done)).reduce((sum, count) => sum + count);
  storm.calm();
  await all(({ seen }) => seen.length >= said);
  const log = await storm.log("lobby");
  assertEquals(log.length, said, "stored messages");
  for (const member of members) member.check(log);
  await assertFinal(storm.url);
  return storm.report(said);
}

/** One user of a storm, and what they saw. */
class StormMember {
  readonly chat: ChatConnection;
  readonly seen: StoredMessage[];
  readonly #stored: StoredMessage[] = [];
  readonly #wrong: string[] = [];
  /** Whether the server refused a message for a while, which may change its sender's order. */
  #wasRefused = false;

  constructor(chat: ChatConnection, onBroken: (error: Error) => void) {
    this.chat = chat;
    this.seen = received(chat);
    chat.addEventListener("state", ({ detail }) => {
      if (detail.status === "closed") onBroken(new Error(`${chat.user}: ${detail.reason}`));
      if (detail.status === "waiting" && detail.retryInMs > 100) {
        this.#wrong.push(`waits ${detail.retryInMs} ms`);
      }
    });
    chat.addEventListener("joined", ({ detail }) => {
      if (!detail.recovered && this.seen.length > 0) this.#wrong.push("joined with a gap");
    });
    chat.addEventListener("problem", ({ detail }) => {
      if (detail.ref !== undefined) this.#wasRefused = true;
    });
  }

  /** Sends so many messages, and up to three times as many until the storm is over. */
  async speak(count: number, isOver: () => boolean): Promise<number> {
    let next = 0;
    const speaker = async () => {
      while (next < count || (!isOver() && next < 3 * count)) {
        const number = next++;
        this.#stored[number] = await this.chat.send(`${this.chat.user} ${number}`);
      }
    };
    await Promise.all(Array.from({ length: WINDOW }, speaker));
    return next;
  }

  check(log: readonly Message[]): void {
    const { user } = this.chat;
    assertEquals(this.#wrong, [], user);
    assertEquals(
      this.seen.map(({ cursor }) => cursor),
      log.map(({ cursor }) => cursor),
      `what ${user} saw`,
    );
    const own = log.filter((message) => message.user === user);
    const said = this.#stored.map((_, number) => `${user} ${number}`);
    const inOrder = own.map(({ text }) => text);
    if (!this.#wasRefused) assertEquals(inOrder, said, `what ${user} said`);
    assertEquals(inOrder.toSorted(), said.toSorted());
    assertEquals(this.#stored.map(({ text }) => text), said, "the answers of send()");
    assertEquals(
      new Set(this.#stored.map(({ cursor }) => cursor)),
      new Set(own.map(({ cursor }) => cursor)),
    );
  }
}

/** Where the hub itself says so, it is final, also behind the proxy. */
async function assertFinal(url: string): Promise<void> {
  const cases = [
    { token: await tokenOf("ann", -300), reason: "token" },
    { token: await tokenOf("ann", 600, 0, ["other"]), reason: "not open" },
    { token: "no token", reason: "token" },
  ];
  for (const { token, reason } of cases) {
    const chat = connect(url, { room: "lobby", token, reconnect: { maxDelayMs: 100 } });
    const sent = chat.send("never").then(() => "", (error) => error.message);
    await within(until(chat, () => chat.state.status === "closed"));
    assert((await sent).includes(reason), await sent);
    await chat[Symbol.asyncDispose]();
  }
}
