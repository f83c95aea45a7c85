/**
 * One connection to a server of NATS.
 *
 * @module
 */

import { NatsConnectionImpl, setTransportFactory } from "npm:@nats-io/nats-core@3.4.0/internal";
import type { Subscription } from "npm:@nats-io/nats-core@3.4.0/internal";
import type { NatsServerAddress } from "./nats_servers.ts";
import { NatsTransport } from "./nats_transport.ts";

/** Milliseconds until a server must have answered when it is connected to. */
const CONNECT_MS = 3_000;
/** Milliseconds between two pings, and how many may be unanswered before a server is given up. */
const PING_MS = 1_000;
const UNANSWERED_PINGS = 3;
/** Bytes that may wait to be sent: a server that takes less for so long loses messages. */
const WAITING_MAX_BYTES = 8 * 1024 * 1024;

/**
 * A connection to a server that has let it in: the client from npm, on a transport of our own. It does
 * not connect again, but ends with the first thing that is wrong.
 */
export class NatsConnection {
  /** Settles when it is closed, however that came. Never rejects. */
  readonly closed: Promise<void>;
  readonly #client: NatsConnectionImpl;
  readonly #transport: NatsTransport;
  readonly #onMessage: (payload: Uint8Array) => void;
  readonly #subscriptions = new Map<string, Subscription>();

  private constructor(client: NatsConnectionImpl, onMessage: (payload: Uint8Array) => void) {
    this.#client = client;
    this.#transport = client.protocol.transport as NatsTransport;
    this.#onMessage = onMessage;
    this.closed = client.closed().then(() => {});
  }

  /**
   * Connects to a server.
   *
   * @param address Where it is, and who connects.
   * @param onMessage Receives the payload of each message; it is valid during the call alone.
   * @returns The connection, once the server has let it in.
   * @throws {Error} Where it does not, or not in time.
   */
  static async open(
    { hostname, port, tls, credentials }: NatsServerAddress,
    onMessage: (payload: Uint8Array) => void,
  ): Promise<NatsConnection> {
    setTransportFactory({ factory: () => new NatsTransport() });
    const client = await NatsConnectionImpl.connect({
      ...credentials,
      servers: [`${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`],
      name: "hubbub",
      noEcho: true,
      reconnect: false,
      timeout: CONNECT_MS,
      pingInterval: PING_MS,
      maxPingOut: UNANSWERED_PINGS,
      ...(tls && { tls: {} }),
    });
    return new NatsConnection(client as NatsConnectionImpl, onMessage);
  }

  /** The longest payload that the server takes, in bytes. */
  get payloadMaxBytes(): number {
    return this.#client.info?.max_payload ?? 1024 * 1024;
  }

  /** Whether more waits to be sent than may wait. */
  get isFull(): boolean {
    return this.#transport.waitingBytes > WAITING_MAX_BYTES;
  }

  /** Subscribes to a subject. */
  subscribe(subject: string): void {
    if (this.#client.isClosed()) return;
    const callback = (error: Error | null, { data }: { data: Uint8Array }) => {
      if (!error) this.#onMessage(data);
    };
    this.#subscriptions.set(subject, this.#client.subscribe(subject, { callback }));
  }

  /** Ends the subscription to a subject. */
  unsubscribe(subject: string): void {
    this.#subscriptions.get(subject)?.unsubscribe();
    this.#subscriptions.delete(subject);
  }

  /** Publishes a message, which may get lost. */
  publish(subject: string, payload: Uint8Array): void {
    if (!this.#client.isClosed()) this.#client.publish(subject, payload);
  }

  /** Settles when the server has taken what was sent before; rejects where the connection ends. */
  flush(): Promise<void> {
    return this.#client.flush();
  }

  /** Ends it at once. */
  close(): void {
    void this.#client.close();
  }
}
