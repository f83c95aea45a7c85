// Whoever means ill, in a worker of its own: told where the hub is, it abuses it until it is told
// to stop, and then says what it did and what it should not have seen.

import { frameOf, OPCODES, RawSocket } from "../helpers/raw_socket.ts";

/** What the attackers need to know. */
export interface Plan {
  readonly url: string;
  /** Tokens that are good: abuse comes from members too. */
  readonly tokens: readonly string[];
  /** Rooms in which others behave. */
  readonly rooms: readonly string[];
}

/** What the attackers did, by kind, and what should not have happened. */
export interface Outcome {
  readonly counts: Record<string, number>;
  readonly surprises: string[];
}

/** Milliseconds for which a reader that is stuck stays. */
const STUCK_MS = 120_000;
/** A message that fills what waits for those who do not read. */
const FILLING = "x".repeat(4_000);

class Attackers {
  readonly #plan: Plan;
  readonly #counts: Record<string, number> = {};
  readonly #surprises: string[] = [];
  #isOver = false;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  async run(): Promise<Outcome> {
    const stuck = Array.from({ length: 8 }, (_, i) => {
      return this.#repeat(`stuck reader`, 100, () => this.#stick(i));
    });
    await Promise.all([
      ...stuck,
      ...[1, 2, 3].map(() => this.#repeat("noise", 50, () => this.#makeNoise())),
      this.#repeat("junk", 40, () => this.#junk()),
      this.#repeat("flood", 500, () => this.#flood()),
      this.#repeat("churn", 40, () => this.#churn()),
      this.#repeat("ghost", 100, () => this.#ghost()),
      this.#repeat("oversized", 3_000, () => this.#oversize()),
      this.#repeat(
        "foreign origin",
        100,
        () => this.#knock({ origin: "https://evil.example" }, 403),
      ),
      this.#repeat("bad token", 50, () => {
        return this.#knock({ authorization: `Bearer ${btoa(String(Math.random()))}.e30.x` }, 401);
      }),
      this.#repeat("bad request", 50, () => this.#badRequest()),
    ]);
    return { counts: this.#counts, surprises: this.#surprises };
  }

  stop(): void {
    this.#isOver = true;
  }

  async #repeat(kind: string, pauseMs: number, act: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      try {
        await act();
        this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
      } catch (error) {
        // A connection that the hub cuts while we write is what we asked for.
        const isCut = error instanceof Deno.errors.BrokenPipe ||
          error instanceof Deno.errors.ConnectionReset;
        if (!isCut) this.#surprises.push(`${kind}: ${error}`);
      }
      await new Promise((done) => setTimeout(done, pauseMs));
    }
  }

  async #enter(room: string, protocol = "hubbub.v1.lines"): Promise<RawSocket> {
    const token = pick(this.#plan.tokens);
    const headers = { "sec-websocket-protocol": `${protocol}, hubbub.token.${token}` };
    const socket = await RawSocket.open(`${this.#plan.url}/rooms/${room}/ws`, headers);
    if (socket.status === 101) return socket;
    socket[Symbol.dispose]();
    throw new Error(`the handshake got ${socket.status}`);
  }

  /**
   * Joins a busy room and reads nothing more; some want all that was ever said there, and some as
   * server-sent events.
   */
  async #stick(kind: number): Promise<void> {
    const everything = kind % 2 === 0 ? "" : `?after=${"0".repeat(20)}`;
    const route = kind % 4 < 2 ? "ws" : "events";
    const authorization = `Bearer ${pick(this.#plan.tokens)}`;
    const url = `${this.#plan.url}/rooms/noise/${route}${everything}`;
    using _socket = await RawSocket.open(url, { authorization });
    const until = performance.now() + STUCK_MS * (0.5 + Math.random());
    while (!this.#isOver && performance.now() < until) {
      await new Promise((done) => setTimeout(done, 500));
    }
  }

  /** Fills a room as fast as one member may. */
  async #makeNoise(): Promise<void> {
    using socket = await this.#enter("noise");
    const reading = socket.end();
    const text = JSON.stringify({ type: "chat_message", payload: { text: FILLING } });
    for (let i = 0; i < 200 && !this.#isOver; i++) {
      await socket.send(OPCODES.text, text);
      await new Promise((done) => setTimeout(done, 50));
    }
    await socket.send(OPCODES.close);
    await reading;
  }

  async #junk(): Promise<void> {
    using socket = await this.#enter(pick(this.#plan.rooms), "hubbub.v1");
    for (let i = Math.random() * 20; i > 0; i--) await socket.write(randomFrame());
    if (Math.random() < 0.5) await socket.finish();
  }

  /** Says more than is allowed until it is closed. */
  async #flood(): Promise<void> {
    using socket = await this.#enter("flood");
    const reading = socket.end();
    const payloads = [{ text: "flood" }, { status: true }];
    const lines = Array.from({ length: 20 }, (_, i) => {
      const type = ["chat_message", "typing_status"][i % 2];
      return JSON.stringify({ type, payload: payloads[i % 2] });
    }).join("\n");
    try {
      for (let i = 0; i < 100; i++) await socket.send(OPCODES.text, lines);
    } catch {
      // It was cut in the middle.
    }
    const { code } = await reading;
    if (code !== 4509 && code !== 0) this.#surprises.push(`flood: ended with ${code}`);
  }

  async #churn(): Promise<void> {
    using socket = await this.#enter(pick(this.#plan.rooms));
    await socket.until("joined");
    const typing = JSON.stringify({ type: "typing_status", payload: { status: true } });
    await socket.send(OPCODES.text, typing);
  }

  /** Hangs up before it is answered. */
  async #ghost(): Promise<void> {
    const { hostname, port } = new URL(this.#plan.url);
    using connection = await Deno.connect({ hostname, port: Number(port) });
    const heads = [
      "GET /rooms/ghosts/ws HTTP/1.1\r\nhost: x\r\nupgrade: webso",
      "POST /rooms/ghosts/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
      "\0\r\n\r\n",
    ];
    await connection.write(new TextEncoder().encode(pick(heads)));
  }

  async #oversize(): Promise<void> {
    using socket = await this.#enter("flood");
    const part = new Uint8Array(256 * 1024).fill(32);
    await socket.send(OPCODES.text, part, { fin: false });
    for (let i = 0; i < 16; i++) await socket.send(OPCODES.continuation, part, { fin: false });
    await socket.send(OPCODES.continuation);
    const { code } = await socket.end();
    if (code !== 1009) this.#surprises.push(`oversized: ended with ${code}`);
  }

  async #knock(headers: Record<string, string>, expected: number): Promise<void> {
    const url = `${this.#plan.url}/rooms/${pick(this.#plan.rooms)}/ws?token=${
      expected === 403 ? pick(this.#plan.tokens) : ""
    }`;
    using socket = await RawSocket.open(url, headers);
    if (socket.status !== expected) this.#surprises.push(`knock: got ${socket.status}`);
  }

  async #badRequest(): Promise<void> {
    const authorization = `Bearer ${pick(this.#plan.tokens)}`;
    const bodies = ["{", '{"text":""}', '{"text":"\\ud800"}', "x".repeat(100_000), "[]"];
    const url = `${this.#plan.url}/rooms/${pick(["flood", "%00", "a b"])}/messages`;
    const init = { method: "POST", headers: { authorization }, body: pick(bodies) };
    const response = await fetch(url, init);
    await response.body?.cancel();
    if (response.status < 400 || response.status >= 500) {
      this.#surprises.push(`bad request: got ${response.status}`);
    }
  }
}

function randomFrame(): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.floor(Math.random() * 200)));
  if (Math.random() < 0.3) return bytes;
  const isText = Math.random() < 0.7;
  const payload = isText ? JSON.stringify({ type: "chat_message", payload: { n: 1 } }) : bytes;
  return frameOf(pick([1, 1, 1, 2, 8, 9, 10, 0, 3]), payload, {
    fin: Math.random() < 0.9,
    reserved: Math.random() < 0.05 ? 4 : 0,
  });
}

function pick<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)];
}

declare function postMessage(message: Outcome): void;

let attackers: Attackers | undefined;
addEventListener("message", async (event) => {
  const plan = (event as MessageEvent<Plan | "stop">).data;
  if (plan === "stop") return attackers?.stop();
  attackers = new Attackers(plan);
  postMessage(await attackers.run());
});
