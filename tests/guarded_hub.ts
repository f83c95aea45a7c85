import { createServer, Hub, type HubOptions, type Logger, RoomLog } from "@hubbub/hub";
import type { Server, ServerOptions } from "@hubbub/hub";
import { decodeServerEnvelope, type ServerEnvelope } from "@hubbub/hub/protocol";

/** How {@linkcode GuardedHub} is started. */
export interface GuardedOptions extends Omit<HubOptions, "logger">, Omit<ServerOptions, "logger"> {
  /** Where its log is; the test closes it. @default {a database in memory of its own} */
  readonly kv?: Deno.Kv;
}

/** A hub behind HTTP on a free port of 127.0.0.1, with what it logged. */
export class GuardedHub implements AsyncDisposable {
  readonly hub: Hub;
  readonly server: Server;
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** Every event with all that belongs to it, as a line of JSON. */
  readonly lines: string[] = [];
  readonly #kv: Deno.Kv;
  readonly #ownsKv: boolean;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  private constructor(kv: Deno.Kv, options: GuardedOptions) {
    this.#kv = kv;
    this.#ownsKv = options.kv === undefined;
    const logger: Logger = (level, event, fields) => {
      const { error, ...rest } = fields ?? {};
      this.lines.push(JSON.stringify({ level, event, ...rest, error: String(error ?? "") }));
    };
    this.hub = new Hub(new RoomLog(kv), { ...options, logger });
    this.server = createServer(this.hub, { ...options, logger });
    const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#http = Deno.serve(listen, this.server.fetch);
    this.url = `http://127.0.0.1:${this.#http.addr.port}`;
  }

  static async start(options: GuardedOptions = {}): Promise<GuardedHub> {
    return new GuardedHub(options.kv ?? await Deno.openKv(":memory:"), options);
  }

  /** Opens a socket in a room, ready to be used. */
  async join(room: string, query: string, protocols: string[] = []): Promise<Guest> {
    return await Guest.open(`${this.url}/rooms/${room}/ws?${query}`, protocols);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.drain();
    await this.#http.shutdown();
    if (this.#ownsKv) this.#kv.close();
  }
}

/** A member that behaves, over a WebSocket of the platform. */
export class Guest implements AsyncDisposable {
  readonly socket: WebSocket;
  /** Whatever came, in order. */
  readonly envelopes: ServerEnvelope[] = [];
  /** Settles when the connection has ended. */
  readonly closed: Promise<CloseEvent>;
  readonly #waiting = new Set<() => void>();

  private constructor(url: string, protocols: string[]) {
    const socket = this.socket = new WebSocket(url.replace(/^http/, "ws"), protocols);
    socket.onmessage = ({ data }) => {
      for (const line of String(data).split("\n")) {
        const decoded = decodeServerEnvelope(line);
        if (!decoded.ok) throw new Error(`Not an envelope: ${line}`);
        this.envelopes.push(decoded.envelope);
      }
      for (const check of this.#waiting) check();
    };
    socket.onerror = (event) => event.preventDefault();
    this.closed = new Promise((resolve) => socket.onclose = resolve);
    void this.closed.then(() => {
      for (const check of this.#waiting) check();
    });
  }

  /** Connects, and waits for `joined`. */
  static async open(url: string, protocols: string[]): Promise<Guest> {
    const guest = new Guest(url, protocols);
    await guest.until("joined");
    return guest;
  }

  /** Waits for an envelope of a type that passes a test; fails where the connection ends first. */
  async until<T extends ServerEnvelope["type"]>(
    type: T,
    test: (payload: PayloadOf<T>) => boolean = () => true,
  ): Promise<PayloadOf<T>> {
    return await new Promise<PayloadOf<T>>((resolve, reject) => {
      const check = () => {
        const found: PayloadOf<T> | undefined = this.of(type).find(test);
        const isOver = this.socket.readyState > WebSocket.OPEN;
        if (found === undefined && !isOver) return;
        this.#waiting.delete(check);
        if (found === undefined) reject(new Error(`The connection ended before a "${type}" came`));
        else resolve(found);
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** The payloads of one type, in order. */
  of<T extends ServerEnvelope["type"]>(type: T): PayloadOf<T>[] {
    return this.envelopes.filter((envelope) => envelope.type === type)
      .map((envelope) => envelope.payload as PayloadOf<T>);
  }

  /** What was said, in order. */
  get said(): string[] {
    return this.of("chat_message").map(({ text }) => text);
  }

  /** Sends an envelope. */
  send(type: string, payload: unknown): void {
    this.socket.send(JSON.stringify({ type, payload }));
  }

  /** Says something, and waits until it is stored. */
  async say(text: string): Promise<void> {
    const ref = crypto.randomUUID();
    this.send("chat_message", { text, ref });
    await this.until("chat_message", (message) => message.ref === ref);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}

/** What an envelope of a type carries. */
export type PayloadOf<T extends ServerEnvelope["type"]> = Payloads[T];

type Payloads = { [E in ServerEnvelope as E["type"]]: E["payload"] };
