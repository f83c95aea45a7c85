import { decodeServerEnvelope } from "@hubbub/hub/protocol";

/** Milliseconds between two messages of one member. */
const PAUSE_MS = 2_000;

/** A member that says a number every two seconds, and writes down what it gets. */
export class WellBehaved {
  readonly user: string;
  readonly room: string;
  /** The ids of the messages that it got, in order. */
  readonly ids: string[] = [];
  /** Milliseconds from each message to its acknowledgement. */
  readonly delaysMs: number[] = [];
  /** What should not have happened. */
  readonly surprises: string[] = [];
  readonly #socket: WebSocket;
  readonly #sentAt = new Map<string, number>();
  readonly #joined = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #count = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(url: string, options: { room: string; user: string; token: string }) {
    this.user = options.user;
    this.room = options.room;
    const address = `${url.replace(/^http/, "ws")}/rooms/${this.room}/ws?history=0`;
    const protocols = ["hubbub.v1.lines", `hubbub.token.${options.token}`];
    this.#socket = new WebSocket(address, protocols);
    this.#socket.onmessage = ({ data }) => {
      for (const line of String(data).split("\n")) this.#take(line);
    };
    this.#socket.onclose = ({ code, reason }) => {
      if (this.#timer !== undefined) {
        this.surprises.push(`${this.user} was closed: ${code} ${reason}`);
      }
      clearInterval(this.#timer);
      this.#closed.resolve();
    };
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
    this.#timer = undefined;
  }

  async leave(): Promise<void> {
    this.#socket.close();
    await this.#closed.promise;
  }

  #say(): void {
    const ref = `${this.#count++}`;
    this.#sentAt.set(ref, performance.now());
    this.#send("typing_status", { status: true });
    this.#send("chat_message", { text: `${this.user} says ${ref}`, ref });
  }

  #send(type: string, payload: unknown): void {
    this.#socket.send(JSON.stringify({ type, payload }));
  }

  #take(line: string): void {
    const decoded = decodeServerEnvelope(line);
    if (!decoded.ok) return void this.surprises.push(`${this.user} got ${line.slice(0, 100)}`);
    const { type, payload } = decoded.envelope;
    if (type === "joined") this.#joined.resolve();
    if (type === "error") this.surprises.push(`${this.user} got ${payload.code}`);
    if (type !== "chat_message") return;
    this.ids.push(payload.id);
    if (payload.user !== this.user || payload.ref === undefined) return;
    const sentAt = this.#sentAt.get(payload.ref);
    this.#sentAt.delete(payload.ref);
    if (sentAt === undefined) this.surprises.push(`${this.user} got ${payload.ref} twice`);
    else this.delaysMs.push(performance.now() - sentAt);
  }
}
