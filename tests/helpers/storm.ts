import { mock } from "node:test";
import { assertGreaterOrEqual } from "@std/assert";
import type { Message } from "@hubbub/hub/protocol";
import { type Fate, type Fault, FaultProxy } from "./fault_proxy.ts";
import { GATEWAY_ANSWERS } from "./gateway_answers.ts";
import { HubProcess } from "./hub_process.ts";
import { Random } from "./random.ts";

/** How much a run of a storm holds. */
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

const SECRET = "a secret of 32 bytes or more, for tests";
/** Milliseconds after which a run has failed. */
const DEADLINE_MS = 300_000;
const TCP_FAULTS: readonly Fault[] = ["cut", "cut", "half_close_down", "half_close_up", "stall"];
const CLOCK_STEPS_MS = [-3_600_000, 3_600_000, -86_400_000, 1e11, -1e11, 1_500, -1_500];

/** A hub behind a proxy, while everything goes wrong that can. */
export class Storm implements AsyncDisposable {
  readonly random: Random;
  readonly proxy: FaultProxy;
  /** Where clients go. */
  readonly url: string;
  readonly #options: StormOptions;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #tokens: TokenFaults;
  readonly #clock: ClockFaults;
  readonly #startedAt = performance.now();
  #hub: HubProcess;
  #isCalm = false;

  private constructor(
    hub: HubProcess,
    environment: Readonly<Record<string, string>>,
    options: StormOptions,
    bytes: number,
  ) {
    const { seed, faults } = options;
    this.#hub = hub;
    this.#environment = environment;
    this.#options = options;
    const random = this.random = new Random(seed);
    const proxy: FaultProxy = this.proxy = new FaultProxy(hub.port, (): Fate => {
      return this.#isCalm || proxy.struck >= faults ? {} : fate(random, bytes);
    });
    this.url = proxy.url;
    this.#tokens = new TokenFaults(new Random(seed + 1), () => this.#isCalm || this.isOver);
    this.#clock = new ClockFaults(new Random(seed + 2));
  }

  /** Starts one; most faults strike a connection within so many bytes. */
  static async start(options: StormOptions, bytes: number): Promise<Storm> {
    const environment = {
      HUBBUB_KV: `${options.folder}/storm-${options.seed}.sqlite3`,
      HUBBUB_JWT_SECRET: SECRET,
      HUBBUB_MESSAGES_PER_SECOND: "0",
    };
    return new Storm(await HubProcess.start(environment), environment, options, bytes);
  }

  /** Whether there were enough faults. */
  get isOver(): boolean {
    return this.proxy.struck >= this.#options.faults;
  }

  /** The next token of a user, good or bad. */
  token(user: string): string | Promise<string> {
    return this.#tokens.next(user);
  }

  /** Kills the hub as often as is wanted, each time when so many messages were seen. */
  async kill(seen: (count: number) => Promise<void>): Promise<void> {
    const { messages, kills } = this.#options;
    for (let kill = 1; kill <= kills; kill++) {
      await seen(messages * kill / (kills + 1));
      // Most die at once; some are told to stop.
      await this.#hub.stop(this.random.chance(0.7) ? "SIGKILL" : "SIGTERM");
      this.#hub = await HubProcess.start(this.#environment);
      this.proxy.targetPort = this.#hub.port;
    }
  }

  /** Ends the faults. */
  calm(): void {
    this.#isCalm = true;
  }

  /** Reads the whole log of a room from the hub itself. */
  async log(room: string): Promise<Message[]> {
    return await readAll(this.#hub.url, await tokenOf("ann", 3_600), room);
  }

  /** Tells what struck, which must be enough. */
  report(said: number): StormReport {
    assertGreaterOrEqual(this.proxy.struck, this.#options.faults, "faults that struck");
    return {
      messages: said,
      faults: this.proxy.struck,
      connections: this.proxy.accepted,
      kills: this.#options.kills,
      badTokens: this.#tokens.bad,
      clockSteps: this.#clock.steps,
      tookMs: Math.round(performance.now() - this.#startedAt),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clock.stop();
    this.#isCalm = true;
    await this.proxy[Symbol.asyncDispose]();
    await this.#hub[Symbol.asyncDispose]();
  }
}

/** Tokens of which some are no good. */
class TokenFaults {
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
class ClockFaults {
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

function fate(random: Random, bytes: number): Fate {
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
async function readAll(url: string, token: string, room: string): Promise<Message[]> {
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
