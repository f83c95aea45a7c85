import { decodeServerEnvelope } from "@hubbub/hub/protocol";

/** Milliseconds between two messages of one member. */
const PAUSE_MS = 1_000;
/** Milliseconds for which it types before each. */
const TYPED_MS = 100;

/** Who a member is, and where. */
export interface WellBehavedOptions {
  readonly room: string;
  readonly user: string;
  /** Its token; empty in an open hub. */
  readonly token: string;
}

/** A member that says a number every second, and writes down what it gets. */
export class WellBehaved {
  readonly user: string;
  readonly room: string;
  /** The ids of the messages that it got, in order. */
  readonly ids: string[] = [];
  /** Milliseconds from each message to its acknowledgement. */
  readonly delaysMs: number[] = [];
  /** What should not have happened. */
  readonly surprises: string[] = [];
  /** How often it was cut off. */
  cuts = 0;
  readonly #url: string;
  readonly #options: WellBehavedOptions;
  readonly #sentAt = new Map<string, number>();
  #socket: WebSocket;
  #joined = Promise.withResolvers<void>();
  #cursor: string | undefined;
  #count = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #isLeaving = false;
  #closed = Promise.withResolvers<void>();

  constructor(url: string, options: WellBehavedOptions) {
    this.user = options.user;
    this.room = options.room;
    this.#url = url.replace(/^http/, "ws");
    this.#options = options;
    this.#socket = this.#connect();
  }

  /** Resolves when it is in the room. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** Messages that were sent and not yet acknowledged. */
  get unanswered(): number {
    return this.#sentAt.size;
  }

  talk(): void {
    this.#timer = setInterval(() => this.#say(), PAUSE_MS);
  }

  hush(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#pause);
  }

  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.hush();
    this.#socket.close();
    await this.#closed.promise;
  }

  #connect(): WebSocket {
    const { room, user, token } = this.#options;
    const query = new URLSearchParams({ history: "0", user });
    if (this.#cursor !== undefined) query.set("after", this.#cursor);
    const protocols = ["hubbub.v1.lines", ...token === "" ? [] : [`hubbub.token.${token}`]];
    const socket = new WebSocket(`${this.#url}/rooms/${room}/ws?${query}`, protocols);
    socket.onmessage = ({ data }) => {
      for (const line of String(data).split("\n")) this.#take(line);
    };
    socket.onerror = (event) => event.preventDefault();
    socket.onclose = ({ code, reason }) => {
      if (this.#isLeaving) return this.#closed.resolve();
      if (this.cuts++ < 3) this.surprises.push(`${this.user} was closed: ${code} ${reason}`);
      // What was on its way may be stored: its ref tells.
      setTimeout(() => {
        if (this.#isLeaving) this.#closed.resolve();
        else this.#socket = this.#connect();
      }, 500);
    };
    return socket;
  }

  #say(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#send("typing_status", { status: true });
    // Deno's client waits with a second small frame until the first is acknowledged, which takes 40 ms.
    this.#pause = setTimeout(() => {
      if (this.#socket.readyState !== WebSocket.OPEN) return;
      const ref = `${this.#count++}`;
      this.#sentAt.set(ref, performance.now());
      this.#send("chat_message", { text: `${this.user} says ${ref}`, ref });
    }, TYPED_MS);
  }

  #send(type: string, payload: unknown): void {
    this.#socket.send(JSON.stringify({ type, payload }));
  }

  #take(line: string): void {
    const decoded = decodeServerEnvelope(line);
    if (!decoded.ok) return void this.surprises.push(`${this.user} got ${line.slice(0, 100)}`);
    const { type, payload } = decoded.envelope;
    if (type === "joined") {
      if (this.#cursor !== undefined && !payload.recovered) {
        this.surprises.push(`${this.user} could not resume`);
      }
      this.#cursor = payload.cursor;
      this.#joined.resolve();
    }
    if (type === "error") this.surprises.push(`${this.user} got ${payload.code}`);
    if (type !== "chat_message") return;
    this.#cursor = payload.cursor;
    this.ids.push(payload.id);
    if (payload.user !== this.user || payload.ref === undefined) return;
    const sentAt = this.#sentAt.get(payload.ref);
    this.#sentAt.delete(payload.ref);
    if (sentAt === undefined) this.surprises.push(`${this.user} got ${payload.ref} twice`);
    else this.delaysMs.push(performance.now() - sentAt);
  }
}
