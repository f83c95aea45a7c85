import { OPCODES, RawSocket } from "../helpers/raw_socket.ts";
import { pause } from "./numbers.ts";

/** What attackers are told. */
export interface Plan {
  /** The attacks, by name. */
  readonly attacks: readonly string[];
  /** The hub's address, from each of the attackers'. */
  readonly urls: readonly string[];
  /** Tokens that are good, by user: abuse comes from members too. Empty in an open hub. */
  readonly tokens: readonly string[];
  /** Rooms in which others behave. */
  readonly rooms: readonly string[];
}

/** What attackers did, by kind, and what should not have happened. */
export interface Outcome {
  readonly counts: Record<string, number>;
  readonly surprises: readonly string[];
}

/**
 * Bytes a second that the attackers send together: 100 Mbit/s. On loopback they could send a hundred
 * times as much, which nobody does from outside, and which keeps any process busy with reading.
 */
const UPLINK_BYTES_PER_SECOND = 12_500_000;

/** Abuses a hub until it is told to stop. */
export type Attack = (target: Target) => Promise<void>;

/** A hub as attackers see it. */
export class Target {
  readonly plan: Plan;
  readonly counts: Record<string, number> = {};
  readonly surprises = new Set<string>();
  #isOver = false;
  #names = 0;
  #uplinkFreeAt = 0;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /** Whether the attackers are to stop. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The hub's address, from one of the attackers'. */
  get url(): string {
    return pick(this.plan.urls);
  }

  stop(): void {
    this.#isOver = true;
  }

  count(kind: string, times = 1): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + times;
  }

  /** Writes down what should not have happened. */
  surprise(text: string): void {
    if (this.surprises.size < 20) this.surprises.add(text);
  }

  /** Waits, but not beyond the end. */
  async rest(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (!this.#isOver && performance.now() < until) {
      await pause(Math.max(0, Math.min(200, until - performance.now())));
    }
  }

  /** Waits until the uplink of the attackers has room for so many bytes more. */
  async upload(bytes: number): Promise<void> {
    const now = performance.now();
    this.#uplinkFreeAt = Math.max(now, this.#uplinkFreeAt) +
      bytes / UPLINK_BYTES_PER_SECOND * 1_000;
    if (this.#uplinkFreeAt - now > 20) await this.rest(this.#uplinkFreeAt - now);
  }

  /** Does something again and again, by several at once, until it is over. */
  async repeat(
    kind: string,
    { times = 1, pauseMs = 50 }: { readonly times?: number; readonly pauseMs?: number },
    act: (index: number) => Promise<void>,
  ): Promise<void> {
    await Promise.all(Array.from({ length: times }, async (_, index) => {
      while (!this.#isOver) {
        try {
          await act(index);
          this.count(kind);
        } catch (error) {
          // That the hub refuses us, or cuts the connection while we write, is what we asked for.
          this.count(`${kind}, cut`);
          if (error instanceof TypeError && !/hung up|fetch|connection|sending/.test(`${error}`)) {
            this.surprise(`${kind}: ${error}`);
          }
        }
        await this.rest(pauseMs);
      }
    }));
  }

  /** A name that nobody had before. */
  newName(): string {
    return `mallory ${this.#names++} ${crypto.randomUUID().slice(0, 8)}`;
  }

  /** The headers and the query of a user: of some token, or in an open hub of some name. */
  credentials(user = `mallory ${Math.floor(20 * Math.random())}`): {
    readonly query: string;
    readonly headers: Record<string, string>;
  } {
    if (this.plan.tokens.length === 0) {
      return { query: `user=${encodeURIComponent(user)}`, headers: {} };
    }
    return { query: "", headers: { authorization: `Bearer ${pick(this.plan.tokens)}` } };
  }

  /** Opens a WebSocket, or whatever else the path gives; the caller looks at the status. */
  async open(
    path: string,
    options: {
      readonly user?: string;
      readonly protocol?: string;
      readonly query?: string;
      readonly headers?: Record<string, string>;
    } = {},
  ): Promise<RawSocket> {
    const { query, headers } = this.credentials(options.user);
    const all = [options.query, query].filter((part) => part).join("&");
    const protocol = options.protocol ?? "hubbub.v1.lines";
    return await RawSocket.open(`${this.url}${path}?${all}`, {
      ...headers,
      ...options.headers,
      "sec-websocket-protocol": protocol,
    });
  }

  /** Enters a room; fails where it is not let in. */
  async enter(...args: Parameters<Target["open"]>): Promise<RawSocket> {
    return this.#entered(await this.open(`/rooms/${args[0]}/ws`, args[1]));
  }

  /** Opens a connection that may be in many rooms; fails where it is not let in. */
  async enterRooms(user?: string): Promise<RawSocket> {
    return this.#entered(await this.open("/ws", { user, protocol: "hubbub.v2" }));
  }

  #entered(socket: RawSocket): RawSocket {
    if (socket.status === 101) return socket;
    socket[Symbol.dispose]();
    this.count(`refused with ${socket.status}`);
    throw new Error(`the handshake got ${socket.status}`);
  }

  /** Posts a message; returns the status. */
  async post(room: string, text: string, user?: string): Promise<number> {
    const { headers } = this.credentials();
    const body = JSON.stringify({ text, user: user ?? "mallory" });
    const url = `${this.url}/rooms/${room}/messages`;
    const response = await fetch(url, { method: "POST", headers, body });
    await response.body?.cancel();
    this.count(`POST got ${response.status}`);
    return response.status;
  }

  /** Opens a TCP connection to the hub, and sends what is given. */
  async connect(head = ""): Promise<Deno.TcpConn> {
    const { hostname, port } = new URL(this.url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    if (head !== "") await connection.write(new TextEncoder().encode(head));
    return connection;
  }
}

/** One of a list, by chance. */
export function pick<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)];
}

/** The JSON text of an envelope. */
export function envelope(type: string, payload: unknown): string {
  return JSON.stringify({ type, payload });
}

/** Sends texts until the hub cuts it off or it is over. */
export async function flood(
  target: Target,
  socket: RawSocket,
  text: string,
  pauseMs: number,
): Promise<void> {
  const reading = socket.end();
  try {
    while (!target.isOver) {
      await socket.send(OPCODES.text, text);
      if (pauseMs > 0) await pause(pauseMs);
    }
    await socket.send(OPCODES.close);
  } catch {
    // It was cut in the middle.
  }
  await reading;
}
