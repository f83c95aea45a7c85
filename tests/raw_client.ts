/** The head of an HTTP response. */
export interface Head {
  readonly status: number;
  readonly headers: Headers;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A WebSocket client made of a TCP connection: does what no proper client would. */
export class RawClient implements Disposable {
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async connect(port: number): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /**
   * Asks for an upgrade.
   *
   * @param path The path with its query.
   * @param headers More headers, or others: undefined leaves one out.
   * @param method The method.
   * @returns What the server answers, as soon as its head is complete.
   */
  async handshake(
    path: string,
    headers: Readonly<Record<string, string | undefined>> = {},
    method = "GET",
  ): Promise<Head> {
    const all: Record<string, string | undefined> = {
      "Host": "localhost",
      "Upgrade": "websocket",
      "Connection": "Upgrade",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    };
    const lines = Object.entries(all).filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}: ${value}\r\n`);
    await this.#write(encoder.encode(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`));
    let text = "";
    while (!text.includes("\r\n\r\n")) text += decoder.decode(await this.read());
    const [first, ...rest] = text.slice(0, text.indexOf("\r\n\r\n")).split("\r\n");
    const pairs = rest.map((line): [string, string] => {
      const at = line.indexOf(":");
      return [line.slice(0, at), line.slice(at + 1).trim()];
    });
    return { status: Number(first.split(" ")[1]), headers: new Headers(pairs) };
  }

  /** Sends a text of less than 126 bytes in a frame of its own. */
  async sendText(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    if (bytes.length > 125) throw new RangeError("Too long for a short frame");
    // A final text frame, masked with zeros, which leave the bytes as they are.
    await this.#write(new Uint8Array([0x81, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]));
  }

  /** Reads what is there, or waits for it; empty at the end. */
  async read(): Promise<Uint8Array> {
    const buffer = new Uint8Array(4096);
    const count = await this.#connection.read(buffer);
    return buffer.subarray(0, count ?? 0);
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }
}
