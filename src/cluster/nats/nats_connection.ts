/**
 * One connection to a server of NATS.
 *
 * The protocol is spoken here, and not by the client from npm, because that one lets go of neither a
 * server that is frozen while its socket is full nor of the sockets of tries that took too long, and
 * ends the process by errors of theirs. https://docs.nats.io/reference/reference-protocols/nats-protocol
 *
 * @module
 */

import { withDeadline } from "../../store/deadline.ts";
import { NatsParser } from "./nats_parser.ts";

/** Milliseconds until a server must have answered when it is connected to. */
const CONNECT_MS = 3_000;
/** Milliseconds between two pings, and without a byte from the server after which it is given up. */
const PING_MS = 1_000;
const SILENCE_MS = 4_000;
/** Bytes that may wait to be sent: a server that takes less for so long loses messages. */
const WAITING_MAX_BYTES = 8 * 1024 * 1024;
/** What a server takes by default, in bytes. */
const PAYLOAD_MAX_BYTES = 1024 * 1024;
/** Bytes that are read at a time. */
const READ_BYTES = 64 * 1024;

/** Where a server is, and who connects. */
export interface NatsServerAddress {
  /** Its name or address. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** Whether TLS is asked for. It is used in any case where the server says so. */
  readonly tls: boolean;
  /** What `CONNECT` says of who it is: a user and a password, or a token; or nothing. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** What a server says of itself. */
interface ServerInfo {
  readonly max_payload?: number;
  readonly tls_required?: boolean;
}

const encoder = new TextEncoder();
const LINE_END = encoder.encode("\r\n");

/** A connection to a server that has let it in. It ends with the first thing that is wrong. */
export class NatsConnection {
  /** Settles when it is closed, however that came. Never rejects. */
  readonly closed: Promise<void>;
  /** The longest payload that the server takes, in bytes. */
  payloadMaxBytes = PAYLOAD_MAX_BYTES;
  readonly #onMessage: (payload: Uint8Array) => void;
  readonly #closed = Promise.withResolvers<void>();
  readonly #pongs: PromiseWithResolvers<void>[] = [];
  readonly #parser: NatsParser;
  #conn: Deno.Conn;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #heardAt = performance.now();
  #pingedAt = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;
  #refusal: string | undefined;
  readonly #info = Promise.withResolvers<ServerInfo>();

  private constructor(conn: Deno.Conn, onMessage: (payload: Uint8Array) => void) {
    this.#conn = conn;
    this.#onMessage = onMessage;
    this.closed = this.#closed.promise;
    this.#parser = new NatsParser({
      onLine: (line) => this.#receive(line),
      onMessage: (payload) => this.#onMessage(payload),
    });
    this.#info.promise.catch(() => {});
  }

  /**
   * Connects to a server.
   *
   * @param address Where it is, and who connects.
   * @param onMessage Receives the payload of each message.
   * @returns The connection, once the server has let it in.
   * @throws {Error} Where it does not, or not in time.
   */
  static async open(
    address: NatsServerAddress,
    onMessage: (payload: Uint8Array) => void,
  ): Promise<NatsConnection> {
    const { hostname, port } = address;
    let isLate = false;
    let connection: NatsConnection | undefined;
    const opening = async () => {
      const conn = await Deno.connect({ hostname, port });
      connection = new NatsConnection(conn, onMessage);
      if (isLate) connection.#end();
      conn.setNoDelay(true);
      await connection.#enter(conn, address);
      return connection;
    };
    try {
      return await withDeadline(CONNECT_MS, opening, () => {
        return new Error(`${hostname}:${port} did not answer within ${CONNECT_MS} ms`);
      });
    } catch (error) {
      isLate = true;
      connection?.close();
      throw error;
    }
  }

  /** Bytes that wait to be sent. */
  get isFull(): boolean {
    return this.#waitingBytes > WAITING_MAX_BYTES;
  }

  /** Subscribes to a subject, under a number of one's own. */
  subscribe(subject: string, id: number): void {
    this.#send(encoder.encode(`SUB ${subject} ${id}\r\n`));
  }

  /** Ends a subscription. */
  unsubscribe(id: number): void {
    this.#send(encoder.encode(`UNSUB ${id}\r\n`));
  }

  /** Publishes a message, which may get lost. */
  publish(subject: string, payload: Uint8Array): void {
    this.#send(encoder.encode(`PUB ${subject} ${payload.length}\r\n`), payload, LINE_END);
  }

  /** Settles when the server has taken what was sent before; rejects where the connection ends. */
  async flush(): Promise<void> {
    if (this.#isClosed) throw new Error("The connection to NATS is closed");
    const pong = Promise.withResolvers<void>();
    this.#pongs.push(pong);
    this.#send(encoder.encode("PING\r\n"));
    await pong.promise;
  }

  /** Ends it at once. */
  close(): void {
    this.#end();
  }

  /** Waits for the server's greeting, introduces itself, and waits for the answer. */
  async #enter(conn: Deno.TcpConn, { hostname, tls, credentials }: NatsServerAddress) {
    const reading = this.#read({ untilInfo: true });
    const info = await this.#info.promise;
    await reading;
    this.payloadMaxBytes = info.max_payload ?? PAYLOAD_MAX_BYTES;
    const isSecure = tls || info.tls_required === true;
    if (isSecure) this.#conn = await Deno.startTls(conn, { hostname });
    const connect = {
      verbose: false,
      pedantic: false,
      tls_required: isSecure,
      name: "hubbub",
      lang: "deno",
      version: "1",
      protocol: 1,
      echo: false,
      ...credentials,
    };
    void this.#read({ untilInfo: false });
    this.#send(encoder.encode(`CONNECT ${JSON.stringify(connect)}\r\n`));
    await this.flush();
    this.#pingedAt = performance.now();
    this.#timer = setInterval(() => this.#ping(), PING_MS);
    // It may have ended meanwhile.
    if (this.#isClosed) clearInterval(this.#timer);
  }

  #ping(): void {
    const now = performance.now();
    // What came while this isolate stood still has not been read yet.
    if (now - this.#pingedAt > 2 * PING_MS) this.#heardAt = now;
    this.#pingedAt = now;
    if (now - this.#heardAt > SILENCE_MS) this.#end();
    else this.flush().catch(() => {}); // The end is told by `closed`.
  }

  async #read({ untilInfo }: { readonly untilInfo: boolean }): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      while (!this.#isClosed) {
        const count = await this.#conn.read(buffer);
        if (count === null) break;
        this.#heardAt = performance.now();
        this.#parser.push(buffer.subarray(0, count));
        // Nothing comes behind it before it is answered; TLS may have to begin.
        if (untilInfo && this.#parser.isAtStart) return;
      }
    } catch {
      // Whatever it is, the connection is of no use any more.
    }
    this.#end();
  }

  #receive(line: string): void {
    const [operation] = line.split(/\s/, 1);
    switch (operation.toUpperCase()) {
      case "INFO":
        return this.#info.resolve(JSON.parse(line.slice(5)));
      case "PING":
        return this.#send(encoder.encode("PONG\r\n"));
      case "PONG":
        return this.#pongs.shift()?.resolve();
      case "-ERR":
        // The server closes the connection where it has to.
        this.#refusal = line.slice(5);
    }
  }

  #send(...chunks: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    for (const chunk of chunks) {
      this.#waiting.push(chunk);
      this.#waitingBytes += chunk.length;
    }
    if (!this.#isWriting) void this.#write();
  }

  /** Writes what waits, until nothing does: one write for what came together. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0 && !this.#isClosed) {
        const bytes = joined(this.#waiting, this.#waitingBytes);
        this.#waiting = [];
        for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
        this.#waitingBytes -= bytes.length;
      }
    } catch {
      this.#end();
    }
    this.#isWriting = false;
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    const error = new Error(this.#refusal ?? "The connection to NATS ended");
    this.#info.reject(error);
    for (const pong of this.#pongs) pong.reject(error);
    this.#waiting = [];
    try {
      this.#conn.close();
    } catch {
      // The other side has closed it.
    }
    this.#closed.resolve();
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
