import {
  createServer,
  Hub,
  type HubOptions,
  type LogRecord,
  type Message,
  RoomLog,
} from "@hubbub/hub";
import type { ChatConnection } from "@hubbub/hub/client";

/** How a {@linkcode ChatServer} behaves. */
export interface ChatServerOptions extends HubOptions {
  /** The database, which stays the caller's to close; else one in memory. */
  readonly kv?: Deno.Kv;
}

/** A whole server on a free port of this machine. */
export class ChatServer implements AsyncDisposable {
  readonly hub: Hub;
  readonly log: RoomLog;
  readonly #kv: Deno.Kv;
  readonly #isKvOurs: boolean;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  private constructor(kv: Deno.Kv, options: ChatServerOptions) {
    this.#kv = kv;
    this.#isKvOurs = options.kv === undefined;
    const logger = () => {};
    this.log = new RoomLog(kv);
    this.hub = new Hub(this.log, { logger, ...options });
    const server = createServer(this.hub, { logger });
    this.#http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, server.fetch);
  }

  static async start(options: ChatServerOptions = {}): Promise<ChatServer> {
    return new ChatServer(options.kv ?? await Deno.openKv(":memory:"), options);
  }

  get port(): number {
    return this.#http.addr.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Everything in the log of a room. */
  async stored(room: string): Promise<LogRecord[]> {
    return await this.log.after(room, "0".repeat(24), { limit: Infinity });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub.drain();
    await this.#http.shutdown();
    if (this.#isKvOurs) this.#kv.close();
  }
}

/** Keeps what a connection hands on, from now on. */
export function received(chat: ChatConnection): Message[] {
  const messages: Message[] = [];
  chat.addEventListener("message", ({ detail }) => messages.push(detail));
  return messages;
}

/**
 * Waits until something holds, looking again after each event of a connection.
 *
 * @param chat The connection.
 * @param condition What is to hold.
 */
export async function until(chat: ChatConnection, condition: () => boolean): Promise<void> {
  const types = ["state", "message", "joined", "presence", "typing", "problem"] as const;
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => condition() && resolve();
  for (const type of types) chat.addEventListener(type, look);
  look();
  await promise;
  for (const type of types) chat.removeEventListener(type, look);
}

/** Numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}
