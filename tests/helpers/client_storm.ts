import { mock } from "node:test";
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { type ChatConnection, connect, type StoredMessage } from "@hubbub/hub/client";
import type { Message } from "@hubbub/hub/protocol";
import { type Fate, type Fault, FaultProxy } from "./fault_proxy.ts";
import { GATEWAY_ANSWERS } from "./gateway_answers.ts";
import { HubProcess } from "./hub_process.ts";
import { Random } from "./random.ts";
import { received, until } from "./received.ts";

/** How much a run of {@linkcode runStorm} holds. */
export interface StormOptions {
  /** Decides which faults strike when. */
  readonly seed: number;
  /** Messages of both users together; more where the faults are not yet over then. */
  readonly messages: number;
  /** Faults on connections, at least. */
  readonly faults: number;
  /** How often the server dies, and is started again. */
  readonly kills: number;
  /** A folder for the database. */
  readonly folder: string;
}

/** What struck in a run. */
export interface StormReport {
  readonly messages: number;
  readonly faults: number;
  readonly connections: number;
  readonly kills: number;
  readonly badTokens: number;
  readonly clockSteps: number;
  readonly tookMs: number;
}

export const SECRET = "a secret of 32 bytes or more, for tests";
/** Messages that one user has on the way at once. */
const WINDOW = 200;
/** Milliseconds after which a run has failed. */
const DEADLINE_MS = 300_000;
const TCP_FAULTS: readonly Fault[] = ["cut", "cut", "half_close_down", "half_close_up", "stall"];
const CLOCK_STEPS_MS = [-3_600_000, 3_600_000, -86_400_000, 1e11, -1e11, 1_500, -1_500];

/**
 * Two users send messages through a proxy while everything goes wrong that can: connections are cut,
 * fall silent or close halfway, gateways answer in the server's stead, tokens are stale, broken or
 * never come, the clock is set, the server is killed. Checks that each message is stored once, that
 * each promise resolves with its own message, that both users get the whole log in its order, and
 * that no connection ends but where the hub says so.
 */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  const startedAt = performance.now();
  const { seed, messages, faults, kills, folder } = options;
  const random = new Random(seed);
  const environment = {
    HUBBUB_KV: `${folder}/storm-${seed}.sqlite3`,
    HUBBUB_JWT_SECRET: SECRET,
    HUBBUB_MESSAGES_PER_SECOND: "0",
  };
  let hub = await HubProcess.start(environment);
  let isCalm = false;
  // A fault strikes before so many bytes that there is time for all of them.
  const bytes = Math.ceil(200 * messages / faults);
  const proxy: FaultProxy = new FaultProxy(hub.port, (): Fate => {
    return isCalm || proxy.struck >= faults ? {} : fate(random, bytes);
  });
  const tokens = new TokenFaults(new Random(seed + 1), () => isCalm || proxy.struck >= faults);
  const clock = new ClockFaults(new Random(seed + 2));
  const join = (user: string) =>
    connect(proxy.url, {
      room: "lobby",
      token: () => tokens.next(user),
      reconnect: { minDelayMs: 5, maxDelayMs: 100 },
      quietMs: 200,
    });
  const chats = [join("ann"), join("bob")];
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  const before = <T>(promise: Promise<T>) => within(Promise.race([promise, broken.promise]));
  let said = 0;
  try {
    const runs = chats.map((chat) => new StormMember(chat, broken.reject));
    await before(
      Promise.all(runs.map(({ chat }) => until(chat, () => chat.state.status === "live"))),
    );
    const done = Promise.all(runs.map((run) => {
      return run.speak(messages / chats.length, () => proxy.struck >= faults);
    }));
    for (let kill = 1; kill <= kills; kill++) {
      const enough = messages * kill / (kills + 1);
      await before(until(chats[0], () => runs[0].seen.length >= enough));
      // Most die at once; some are told to stop.
      await hub.stop(random.chance(0.7) ? "SIGKILL" : "SIGTERM");
      hub = await HubProcess.start(environment);
      proxy.targetPort = hub.port;
    }
    said = (await before(done)).reduce((sum, count) => sum + count);
    isCalm = true;
    for (const { chat, seen } of runs) await before(until(chat, () => seen.length >= said));
    const log = await readAll(hub.url, await tokenOf("ann", 3_600));
    assertEquals(log.length, said, "stored messages");
    for (const run of runs) run.check(log);
    await assertFinal(proxy.url);
  } finally {
    clock.stop();
    isCalm = true;
    for (const chat of chats) chat.close();
    await Promise.all(chats.map((chat) => chat[Symbol.asyncDispose]()));
    await proxy[Symbol.asyncDispose]();
    await hub[Symbol.asyncDispose]();
  }
  assertGreaterOrEqual(proxy.struck, faults, "faults that struck");
  return {
    messages: said,
    faults: proxy.struck,
    connections: proxy.accepted,
    kills,
    badTokens: tokens.bad,
    clockSteps: clock.steps,
    tookMs: Math.round(performance.now() - startedAt),
  };
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

/** Tokens of which some are no good. */
export class TokenFaults {
  readonly #random: Random;
  readonly #isCalm: () => boolean;
  bad = 0;

  constructor(random: Random, isCalm: () => boolean) {
    this.#random = random;
    this.#isCalm = isCalm;
  }

  next(user: string): string | Promise<string> {
    const random = this.#random;
    // Some good ones end a connection soon after it was opened.
    if (this.#isCalm() || random.chance(0.7)) return tokenOf(user, random.chance(0.1) ? 1 : 600);
    this.bad++;
    return random.pick<() => string | Promise<string>>([
      () => tokenOf(user, -300),
      () => tokenOf(user, 600, 300),
      () => Promise.reject(new Error("the token server is away")),
      () => new Promise<string>(() => {}),
      () => "c2Vzc2lvbi1vbmU=",
      () => "no token, but ü",
      () => "",
    ])();
  }
}

/** A wall clock that is set now and then; what goes by another one does not notice. */
export class ClockFaults {
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #mock: { mock: { restore(): void } };
  #offsetMs = 0;
  steps = 0;

  constructor(random: Random) {
    this.#mock = mock.method(Date, "now", () => trueNow() + this.#offsetMs);
    this.#timer = setInterval(() => {
      this.#offsetMs = random.chance(0.3) ? 0 : random.pick(CLOCK_STEPS_MS);
      this.steps++;
    }, 97);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#mock.mock.restore();
  }
}

const trueNow = Date.now;

export function fate(random: Random, bytes: number): Fate {
  if (random.chance(0.35)) {
    return { answer: random.pick(GATEWAY_ANSWERS), isHeld: random.chance(0.1) };
  }
  // No connection is spared: a whole run could go over it.
  if (random.chance(0.1)) return { fault: "cut", afterBytes: 2 * bytes };
  return {
    fault: random.pick(TCP_FAULTS),
    afterBytes: 1 + (random.chance(0.2) ? random.below(600) : random.below(bytes)),
    pieceBytes: random.chance(0.5) ? 1 + random.below(500) : Infinity,
    delayMs: random.chance(0.1) ? 1 + random.below(3) : 0,
  };
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

export async function tokenOf(
  sub: string,
  seconds: number,
  notBefore = 0,
  rooms?: string[],
): Promise<string> {
  const now = Math.floor(trueNow() / 1000);
  const nbf = notBefore === 0 ? undefined : now + notBefore;
  const claims = { sub, iat: now - 900, exp: now + seconds, nbf, rooms };
  const parts = [{ alg: "HS256", typ: "JWT" }, claims].map((part) =>
    base64url(new TextEncoder().encode(JSON.stringify(part)))
  );
  const secret = new TextEncoder().encode(SECRET);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  const signed = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(parts.join(".")));
  return `${parts.join(".")}.${base64url(new Uint8Array(signed))}`;
}

function base64url(bytes: Uint8Array<ArrayBuffer>): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Reads the whole log of a room from the hub itself. */
export async function readAll(url: string, token: string, room = "lobby"): Promise<Message[]> {
  const messages: Message[] = [];
  while (true) {
    const before = messages.length > 0 ? `&before=${messages[0].cursor}` : "";
    const response = await fetch(`${url}/rooms/${room}/messages?limit=100${before}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const page: { messages: Message[] } = await response.json();
    if (page.messages.length === 0) return messages;
    messages.unshift(...page.messages);
  }
}

export async function within<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not done in ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
