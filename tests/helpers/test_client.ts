import type { Message } from "@hubbub/hub";
import { decodeServerEnvelope, encodeEnvelope } from "@hubbub/hub/protocol";
import type { ClientEnvelope, ServerEnvelope } from "@hubbub/hub/protocol";
import { type Payloads, payloadsOf } from "./test_member.ts";
import { within } from "./patience.ts";

/** A WebSocket client that writes down whatever it gets. */
export class TestClient implements AsyncDisposable {
  readonly socket: WebSocket;
  /** The text frames as they came. */
  readonly frames: string[] = [];
  readonly envelopes: ServerEnvelope[] = [];
  /** How the connection ended. */
  readonly closed: Promise<CloseEvent>;
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  private constructor(url: string, protocols: string[]) {
    this.socket = new WebSocket(url, protocols);
    this.socket.onmessage = ({ data }) => {
      this.frames.push(data);
      for (const line of data.split("\n")) {
        const decoded = decodeServerEnvelope(line);
        if (!decoded.ok) throw new Error(`Not an envelope: ${line}`);
        this.envelopes.push(decoded.envelope);
      }
      for (const check of this.#waiting) check();
    };
    this.closed = new Promise((resolve) => {
      this.socket.onclose = (event) => {
        this.#hasEnded = true;
        for (const check of this.#waiting) check();
        resolve(event);
      };
    });
  }

  /**
   * Connects, and waits for `joined`.
   *
   * @param url Where the server is: `http://…`.
   * @param path The path with its query.
   * @param protocols What to offer.
   */
  static async join(url: string, path: string, protocols: string[] = []): Promise<TestClient> {
    const client = new TestClient(url.replace("http", "ws") + path, protocols);
    await client.until(({ joined }) => joined !== undefined);
    return client;
  }

  /** The messages, in order. */
  get messages(): Message[] {
    return this.of("chat_message");
  }

  /** What they say. */
  get said(): string[] {
    return this.messages.map(({ text }) => text);
  }

  /** The payload of `joined`, once it came. */
  get joined(): Payloads["joined"] | undefined {
    return this.of("joined")[0];
  }

  /** The payloads of one type, in order. */
  of<T extends keyof Payloads>(type: T): Payloads[T][] {
    return payloadsOf(this.envelopes, type);
  }

  send(envelope: ClientEnvelope): void {
    this.socket.send(encodeEnvelope(envelope));
  }

  say(text: string, ref?: string): void {
    this.send({ type: "chat_message", payload: { text, ref } });
  }

  /** Says something, and waits until it is stored. */
  async store(text: string): Promise<void> {
    const ref = crypto.randomUUID();
    this.say(text, ref);
    await this.first("chat_message", (message) => message.ref === ref);
  }

  type(status: boolean): void {
    this.send({ type: "typing_status", payload: { status } });
  }

  /** Waits for the first payload of a type that passes a test; fails as `until()` does. */
  async first<T extends keyof Payloads>(
    type: T,
    test: (payload: Payloads[T]) => boolean = () => true,
  ): Promise<Payloads[T]> {
    await this.until((client) => client.of(type).some(test));
    return this.of(type).find(test)!;
  }

  /**
   * Resolves when something holds, looked at after each frame; fails when it takes too long, or
   * when the connection ends before.
   */
  async until(holds: (client: this) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      if (holds(this)) resolve();
      else if (this.#hasEnded) reject(new Error("The connection has ended"));
    };
    this.#waiting.add(check);
    check();
    try {
      await within(promise, "it");
    } catch (cause) {
      const got = this.frames.slice(-20).join("\n");
      throw new Error(`Waited in vain for ${holds}; got ${got}`, { cause });
    } finally {
      this.#waiting.delete(check);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await within(this.closed, "the end of the connection");
  }
}
