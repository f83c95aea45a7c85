/** A balancer without stickiness: each connection goes to the next server. */
export class RoundRobin implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #ports: readonly number[];
  readonly #ends = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;
  #next = 0;

  /** @param ports Where the servers listen, at 127.0.0.1. */
  constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#serving = this.#serve();
  }

  /** Where it listens, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const end of this.#ends) close(end);
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const pairs: Promise<void>[] = [];
    for await (const from of this.#listener) pairs.push(this.#connect(from));
    await Promise.all(pairs);
  }

  async #connect(from: Deno.TcpConn): Promise<void> {
    this.#ends.add(from);
    const port = this.#ports[this.#next++ % this.#ports.length];
    try {
      const to = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#ends.add(to);
      for (const end of [from, to]) end.setNoDelay(true);
      await Promise.all([pipe(from, to), pipe(to, from)]);
      close(to);
      this.#ends.delete(to);
    } catch {
      // The server is gone, or this balancer.
    }
    close(from);
    this.#ends.delete(from);
  }
}

async function pipe(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) break;
      for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
    }
    await to.closeWrite();
  } catch {
    close(from);
    close(to);
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed.
  }
}
