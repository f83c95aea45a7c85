import type { Message } from "@hubbub/hub";
import { decodeServerEnvelope, encodeEnvelope } from "@hubbub/hub/protocol";
import type { ClientEnvelope, ServerEnvelope } from "@hubbub/hub/protocol";
import { type Payloads, payloadsOf } from "./test_member.ts";
import { RecordingSocket } from "./recording_socket.ts";

/** A client of protocol 1 that writes down whatever it gets. */
export class TestClient extends RecordingSocket<ServerEnvelope> {
  protected decode(line: string): ServerEnvelope {
    const decoded = decodeServerEnvelope(line);
    if (!decoded.ok) throw new Error(`Not an envelope: ${line}`);
    return decoded.envelope;
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
}
