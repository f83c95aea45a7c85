/**
 * The transport of the NATS client: TCP or TLS, as Deno has them.
 *
 * @module
 */

import { checkOptions, extractProtocolMessage } from "npm:@nats-io/nats-core@3.4.0/internal";
import type {
  ConnectionOptions,
  Server,
  ServerInfo,
  Transport,
} from "npm:@nats-io/nats-core@3.4.0/internal";

/** Bytes that are read at a time. */
const READ_BYTES = 64 * 1024;
/** The longest greeting of a server: it names every server of a cluster. */
const GREETING_MAX_BYTES = 1024 * 1024;

/**
 * The connection below a client of NATS. The client from npm comes with one for Node, which lets go of
 * neither a server that is frozen while its socket is full nor of the sockets of tries that took too
 * long, and ends the process by errors of theirs; this one is closed at once by whatever is wrong.
 */
export class NatsTransport implements Transport {
  /** What the server is told that this client is. */
  readonly lang = "deno";
  /** Its version. */
  readonly version = "1";
  /** What ended it, where something was wrong. */
  closeError?: Error;
  /** Bytes that wait to be written. */
  waitingBytes = 0;
  #conn: Deno.Conn | undefined;
  #waiting: Uint8Array[] = [];
  #isWriting = false;
  #isEncrypted = false;
  /** The greeting, which the client reads as well. */
  #greeting = new Uint8Array(0);
  readonly #closing = new AbortController();
  readonly #closed = Promise.withResolvers<void | Error>();

  /** Whether it is closed. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Whether it goes over TLS. */
  isEncrypted(): boolean {
    return this.#isEncrypted;
  }

  /**
   * Connects, reads the server's greeting, and begins TLS where that or the options say so.
   *
   * @param server Where to.
   * @param options Those of the client.
   * @throws {Error} Where the server does not greet, or cannot do what is asked for.
   */
  async connect(server: Server, options: ConnectionOptions): Promise<void> {
    const { hostname, port } = server;
    const conn = await Deno.connect({ hostname, port, signal: this.#closing.signal });
    this.#conn = conn;
    try {
      if (this.isClosed) throw new Error("The connection to NATS was given up");
      conn.setNoDelay(true);
      const info = await this.#readGreeting(conn);
      checkOptions(info, options);
      if (info.tls_required || options.tls) {
        this.#conn = await Deno.startTls(conn, { hostname: server.tlsName || hostname });
        this.#isEncrypted = true;
      }
    } catch (error) {
      this.#end();
      throw error;
    }
    if (this.isClosed) this.#release();
  }

  /** Yields what arrives, and ends when it is closed. Never throws. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    try {
      yield this.#greeting;
      while (!this.isClosed && this.#conn) {
        // The client keeps parts of what it was given.
        const buffer = new Uint8Array(READ_BYTES);
        const count = await this.#conn.read(buffer);
        if (count === null) break;
        yield buffer.subarray(0, count);
      }
    } catch (error) {
      this.closeError = asError(error);
    } finally {
      // Also where the client has thrown over what it was given.
      this.#end();
    }
  }

  /** Writes bytes, after all that waits: one write for what comes together. */
  send(frame: Uint8Array): void {
    if (this.isClosed) return;
    this.#waiting.push(frame);
    this.waitingBytes += frame.length;
    if (!this.#isWriting) void this.#write();
  }

  /** Closes it at once, and drops what waits. */
  close(error?: Error): Promise<void> {
    this.closeError ??= error;
    this.#end();
    return Promise.resolve();
  }

  /** Closes it at once. */
  disconnect(): void {
    this.#end();
  }

  /** Closes it at once: it is of no use any more. */
  discard(): void {
    this.#end();
  }

  /** Settles when it is closed, with the error that closed it. Never rejects. */
  closed(): Promise<void | Error> {
    return this.#closed.promise;
  }

  async #readGreeting(conn: Deno.Conn): Promise<ServerInfo> {
    const buffer = new Uint8Array(READ_BYTES);
    while (this.#greeting.length < GREETING_MAX_BYTES) {
      const count = await conn.read(buffer);
      if (count === null) break;
      this.#greeting = concat([this.#greeting, buffer.subarray(0, count)]);
      const line = extractProtocolMessage(this.#greeting);
      if (line === "") continue;
      const json = /^INFO\s+(\{.*\})\s*$/i.exec(line)?.[1];
      if (json !== undefined) return JSON.parse(json);
      break;
    }
    throw new Error("This is no server of NATS");
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0 && this.#conn) {
        const bytes = this.#waiting.length === 1 ? this.#waiting[0] : concat(this.#waiting);
        this.#waiting = [];
        for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
        this.waitingBytes -= bytes.length;
      }
    } catch (error) {
      this.closeError ??= asError(error);
      this.#end();
    }
    this.#isWriting = false;
  }

  #end(): void {
    if (this.isClosed) return;
    this.#closing.abort();
    this.#waiting = [];
    this.#release();
    this.#closed.resolve(this.closeError);
  }

  #release(): void {
    try {
      this.#conn?.close();
    } catch {
      // The other side has closed it, or it is in the hands of a TLS handshake that fails.
    }
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
