/**
 * A fan-out over NATS.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import type { Fanout, FanoutHub } from "../fanout.ts";
import { NatsConnection } from "./nats_connection.ts";
import { type NatsServerAddress, natsServers } from "./nats_servers.ts";

/** What a server takes by default, until the real one has said what it takes. */
const PAYLOAD_MAX_BYTES = 1024 * 1024;
/** Milliseconds between two tries to connect, and how much longer at most: not all try at once. */
const RETRY_MS = 250;
const RETRY_JITTER_MS = 500;
/** Milliseconds that a server has at the end to take what was published. */
const CLOSE_MS = 250;
/** How {@linkcode NatsFanout} connects. */
export interface NatsFanoutOptions {
  /**
   * Addresses of servers of one cluster, such as `nats://user:password@127.0.0.1:4222`, with commas
   * between; `tls://` asks for TLS. The first one with a user, or a token in its place, says who
   * connects.
   *
   * @default {"nats://127.0.0.1:4222"}
   */
  readonly servers?: string;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * A fan-out over a server or a cluster of NATS: any number of machines. A room's messages go to
 * those that have it open alone, on `hubbub.<database>.room.<base64url of its name>`; what concerns
 * all goes on `hubbub.<database>.all`. It connects again for ever. While it is not connected, and
 * while the server takes too little, what is published is dropped and counted.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { NatsFanout } from "@hubbub/hub/nats";
 *
 * using kv = await Deno.openKv(":memory:"); // or a store that several machines share
 * const fanout = new NatsFanout({ servers: "nats://127.0.0.1:4222" });
 * await using hub = new Hub(new KvRoomLog(kv), { fanout });
 * console.log(hub.reach); // fanout
 * ```
 */
export class NatsFanout implements Fanout {
  readonly #servers: readonly NatsServerAddress[];
  /** The rooms that are subscribed to. */
  readonly #rooms = new Set<string>();
  #listener: (message: unknown) => void = () => {};
  /** What every subject begins with; undefined while the database's id is not known. */
  #prefix: string | undefined;
  /** The connection, while it is of use. */
  #connection: NatsConnection | undefined;
  #isClosed = false;
  #dropped = 0;
  #running: Promise<void> | undefined;
  /** What was reported last, so that each outage is reported once. */
  #reported: string | undefined;
  /** Ends the waiting between two tries. */
  #wake: (() => void) | undefined;

  /**
   * Does nothing yet: the hub connects it.
   *
   * @param options Where to.
   * @throws {TypeError} Where an address is none.
   */
  constructor(options: NatsFanoutOptions = {}) {
    this.#servers = natsServers(options.servers ?? "nats://127.0.0.1:4222");
  }

  /** The longest message that the server takes, in bytes. */
  get messageMaxBytes(): number {
    return this.#connection?.payloadMaxBytes ?? PAYLOAD_MAX_BYTES;
  }

  /** Whether it is connected to a server that answers. */
  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Messages that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Sets the listener, and connects.
   *
   * @param listener Receives each message.
   * @param hub Knows the database's id.
   * @returns Settles when it is connected for the first time, or closed.
   */
  async subscribe(listener: (message: unknown) => void, hub: FanoutHub): Promise<void> {
    this.#listener = listener;
    const connected = Promise.withResolvers<void>();
    this.#running = this.#run(hub, connected.resolve);
    await connected.promise;
  }

  /** Subscribes to a room's messages. */
  join(room: string): void {
    if (this.#isClosed || this.#rooms.has(room)) return;
    this.#rooms.add(room);
    this.#connection?.subscribe(this.#subjectOf(room));
  }

  /** Ends the subscription to a room's messages. */
  leave(room: string): void {
    if (this.#rooms.delete(room)) this.#connection?.unsubscribe(this.#subjectOf(room));
  }

  /** Publishes a message; drops it where the server cannot take it now. */
  publish(message: unknown, room?: string): void {
    if (this.#isClosed) return;
    const connection = this.#connection;
    if (!connection || connection.isFull) {
      this.#dropped++;
      return;
    }
    connection.publish(this.#subjectOf(room), encoder.encode(JSON.stringify(message)));
  }

  /** Sends what waits, and disconnects; settles when that is done. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wake?.();
    const connection = this.#connection;
    // What was published has been taken when the server answers; it may not be able to.
    if (connection) await deadline(connection.flush(), CLOSE_MS).catch(() => {});
    connection?.close();
    await this.#running;
  }

  async #run(hub: FanoutHub, onConnected: () => void): Promise<void> {
    for (let attempt = 0; !this.#isClosed; attempt++) {
      try {
        this.#prefix ??= `hubbub.${token(await hub.databaseId())}`;
        if (this.#isClosed) break;
        const server = this.#servers[attempt % this.#servers.length];
        const connection = await NatsConnection.open(server, (payload) => this.#receive(payload));
        if (this.#isClosed) connection.close();
        else await this.#use(connection);
        this.#reported = undefined;
        onConnected();
        await connection.closed;
      } catch (error) {
        this.#report(hub, error);
      }
      this.#connection = undefined;
      if (!this.#isClosed) await this.#pause();
    }
    onConnected();
  }

  /** Subscribes; settles when the server has taken it. */
  async #use(connection: NatsConnection): Promise<void> {
    connection.subscribe(this.#subjectOf(undefined));
    for (const room of this.#rooms) connection.subscribe(this.#subjectOf(room));
    this.#connection = connection;
    await connection.flush();
  }

  #report(hub: FanoutHub, error: unknown): void {
    const text = String(error);
    if (this.#isClosed || text === this.#reported) return;
    this.#reported = text;
    hub.failed?.(error);
  }

  #receive(payload: Uint8Array): void {
    if (this.#isClosed) return;
    let value: unknown;
    try {
      value = JSON.parse(decoder.decode(payload));
    } catch {
      return; // Not ours: others may publish to the subject.
    }
    this.#listener(value);
  }

  #subjectOf(room: string | undefined): string {
    return room === undefined ? `${this.#prefix}.all` : `${this.#prefix}.room.${token(room)}`;
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS + Math.random() * RETRY_JITTER_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

/** A name as one token of a subject: a dot would begin another one. */
function token(name: string): string {
  const base64 = btoa(String.fromCharCode(...encoder.encode(name)));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
