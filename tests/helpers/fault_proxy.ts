/** What may happen to a connection. */
export type Fault =
  /** Both sides are closed. */
  | "cut"
  /** The client hears that the server has ended; the other direction goes on. */
  | "half_close_down"
  /** The server hears that the client has ended; the other direction goes on. */
  | "half_close_up"
  /** Nothing goes either way any more, and nobody is told. */
  | "stall";

/** How one connection fares. */
export interface Fate {
  /** What the proxy answers to the first request in the server's stead, which hears nothing. */
  readonly answer?: string;
  /** Whether the connection stays open after that answer, as if there were more to come. */
  readonly isHeld?: boolean;
  /** What strikes, if anything. */
  readonly fault?: Fault;
  /** Bytes, of both directions together, after which it strikes. @default {1} */
  readonly afterBytes?: number;
  /** Bytes of the longest piece that is passed on at once. @default {Infinity} */
  readonly pieceBytes?: number;
  /** Milliseconds by which each piece is late. @default {0} */
  readonly delayMs?: number;
}

/** One connection through the proxy. */
interface Relay {
  readonly index: number;
  readonly fate: Fate;
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
  passed: number;
  struck: Fault | undefined;
}

/**
 * A TCP proxy that treats connections badly: passes bytes between its own port and another one of
 * this machine, late and in pieces, until a fault strikes.
 */
export class FaultProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  /** Where new connections lead: a port of this machine. */
  targetPort: number;
  readonly #fateOf: (index: number) => Fate;
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #work = new Set<Promise<void>>();
  #accepted = 0;
  #struck = 0;
  /** Connections of lower numbers get nothing through. */
  #stuckBelow = 0;

  /**
   * @param targetPort Where connections lead: a port of this machine.
   * @param fateOf Says how each connection fares, counted from 0.
   */
  constructor(targetPort: number, fateOf: (index: number) => Fate = () => ({})) {
    this.targetPort = targetPort;
    this.#fateOf = fateOf;
    this.#do(this.#accept());
  }

  /** Where to connect to. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** How many connections there were. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many faults have struck. */
  get struck(): number {
    return this.#struck;
  }

  /** Lets nothing through any more, on whatever connection, old or new; nobody is told. */
  stall(): void {
    this.#stuckBelow = Infinity;
  }

  /** Lets new connections through again; those of before stay stuck. */
  recover(): void {
    this.#stuckBelow = this.#accepted;
  }

  /** Closes whatever is open. */
  cut(): void {
    for (const conn of [...this.#conns]) this.#close(conn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await Promise.all(this.#work);
  }

  #do(work: Promise<void>): void {
    this.#work.add(work);
    work.finally(() => this.#work.delete(work));
  }

  async #accept(): Promise<void> {
    try {
      // The iterator ends when the listener is closed.
      for await (const client of this.#listener) {
        this.#conns.add(client);
        this.#do(this.#relay(client, this.#accepted++));
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  async #relay(client: Deno.TcpConn, index: number): Promise<void> {
    if (index < this.#stuckBelow) return;
    const fate = this.#fateOf(index);
    if (fate.answer !== undefined) return await this.#answer(client, fate.answer, fate.isHeld);
    try {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.targetPort });
      this.#conns.add(server);
      // It may have been cut meanwhile.
      if (!this.#conns.has(client)) return this.#close(server);
      const relay: Relay = { index, fate, client, server, passed: 0, struck: undefined };
      await Promise.all([this.#pump(relay, "up"), this.#pump(relay, "down")]);
      if (index < this.#stuckBelow || relay.struck === "stall") return;
      this.#close(server);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    this.#close(client);
  }

  async #answer(client: Deno.TcpConn, answer: string, isHeld = false): Promise<void> {
    try {
      const buffer = new Uint8Array(16 * 1024);
      let request = "";
      while (!request.includes("\r\n\r\n")) {
        const count = await client.read(buffer);
        if (count === null) return this.#close(client);
        request += new TextDecoder("latin1").decode(buffer.subarray(0, count));
      }
      this.#struck++;
      const bytes = new TextEncoder().encode(answer);
      for (let at = 0; at < bytes.length;) at += await client.write(bytes.subarray(at));
      // Until the client gives up, or the proxy ends.
      while (isHeld && await client.read(buffer) !== null);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    this.#close(client);
  }

  async #pump(relay: Relay, way: "up" | "down"): Promise<void> {
    const { client, server, fate } = relay;
    const [from, to] = way === "up" ? [client, server] : [server, client];
    const { delayMs = 0, pieceBytes = Infinity } = fate;
    const buffer = new Uint8Array(16 * 1024);
    try {
      while (true) {
        const count = await from.read(buffer);
        if (this.#isShut(relay, way)) return;
        if (count === null) return await to.closeWrite();
        for (let at = 0; at < count;) {
          if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
          if (this.#isShut(relay, way)) return;
          const size = Math.min(count - at, pieceBytes, bytesLeft(relay));
          // What the other direction passes meanwhile comes off the same account.
          relay.passed += size;
          const end = at + size;
          while (at < end) at += await to.write(buffer.subarray(at, end));
          if (bytesLeft(relay) === 0) await this.#strike(relay);
        }
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  #isShut({ index, struck }: Relay, way: "up" | "down"): boolean {
    return index < this.#stuckBelow || struck === "stall" || struck === `half_close_${way}`;
  }

  async #strike(relay: Relay): Promise<void> {
    const { client, server, fate: { fault } } = relay;
    if (relay.struck !== undefined || fault === undefined) return;
    relay.struck = fault;
    this.#struck++;
    if (fault === "half_close_down") await client.closeWrite();
    if (fault === "half_close_up") await server.closeWrite();
    if (fault === "cut") { for (const conn of [client, server]) this.#close(conn); }
  }

  #close(conn: Deno.TcpConn): void {
    if (this.#conns.delete(conn)) conn.close();
  }
}

/** How many more bytes may pass before the fault strikes. */
function bytesLeft({ fate, passed, struck }: Relay): number {
  if (fate.fault === undefined || struck !== undefined) return Infinity;
  return Math.max(0, (fate.afterBytes ?? 1) - passed);
}

/** Whether an error tells no more than that one side has gone. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.NotConnected;
}
