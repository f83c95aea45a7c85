/** The opcodes of RFC 6455, section 5.2. */
export const OPCODES = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** How a frame differs from an ordinary one. */
export interface FrameOptions {
  /** Whether it is the last of its message. @default {true} */
  readonly fin?: boolean;
  /** The three reserved bits, as a number. @default {0} */
  readonly reserved?: number;
  /** Whether it is masked, as a client's must be. @default {true} */
  readonly masked?: boolean;
  /** The length that it claims to have. @default {that of the payload} */
  readonly length?: number;
}

/** A frame that the server sent. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** A WebSocket client that sends, and leaves unsent, whatever a test wants. */
export class RawSocket implements Disposable {
  /** The status of the answer to the handshake. */
  readonly status: number;
  /** The head of the answer, as it came. */
  readonly head: string;
  /** The headers in it. */
  readonly headers: Headers;
  readonly #connection: Deno.TcpConn;
  #unread: Uint8Array;

  private constructor(connection: Deno.TcpConn, head: string, rest: Uint8Array) {
    this.#connection = connection;
    this.#unread = rest;
    this.head = head;
    const [first, ...lines] = head.split("\r\n");
    this.status = Number(first.split(" ")[1]);
    this.headers = new Headers(lines.map((line): [string, string] => {
      const at = line.indexOf(":");
      return [line.slice(0, at), line.slice(at + 1).trim()];
    }));
  }

  /**
   * Connects and asks for an upgrade.
   *
   * @param url The room's address, with its query: `http://…`.
   * @param headers More headers, or others, in lower case: undefined leaves one out.
   * @param method The method.
   * @returns The connection, as soon as the head of the answer is complete.
   */
  static async open(
    url: string,
    headers: Readonly<Record<string, string | undefined>> = {},
    method = "GET",
  ): Promise<RawSocket> {
    const { hostname, port, host, pathname, search } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const all: Record<string, string | undefined> = {
      host,
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    };
    const lines = Object.entries(all).filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}: ${value}\r\n`);
    const request = `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`;
    await writeAll(connection, encoder.encode(request));
    let bytes = new Uint8Array();
    for (;;) {
      const end = decoder.decode(bytes).indexOf("\r\n\r\n");
      if (end >= 0) {
        const head = decoder.decode(bytes.subarray(0, end));
        return new RawSocket(connection, head, bytes.subarray(end + 4));
      }
      const more = await readSome(connection);
      if (!more) throw new Error("The server hung up during the handshake");
      bytes = concat(bytes, more);
    }
  }

  /** Sends bytes as they are. */
  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#connection, bytes);
  }

  /** Sends a frame. */
  async send(
    opcode: number,
    payload: string | Uint8Array = "",
    options: FrameOptions = {},
  ): Promise<void> {
    await this.write(frameOf(opcode, payload, options));
  }

  /** Reads the next frame; undefined where the server hung up. */
  async read(): Promise<ServerFrame | undefined> {
    for (;;) {
      const frame = this.#next();
      if (frame) return frame;
      const more = await readSome(this.#connection);
      if (!more) return undefined;
      this.#unread = concat(this.#unread, more);
    }
  }

  /**
   * Reads until the server closes or hangs up.
   *
   * @returns The close code, or 0 where there was none; and the texts that came before.
   */
  async end(): Promise<{ code: number; texts: string[] }> {
    const texts: string[] = [];
    for (;;) {
      const frame = await this.read();
      if (!frame) return { code: 0, texts };
      if (frame.opcode === OPCODES.text) texts.push(decoder.decode(frame.payload));
      if (frame.opcode !== OPCODES.close) continue;
      const { payload } = frame;
      return { code: payload.length < 2 ? 1005 : payload[0] << 8 | payload[1], texts };
    }
  }

  /** Reads texts until one holds what is looked for; fails where the server hangs up before. */
  async until(part: string): Promise<string> {
    for (;;) {
      const frame = await this.read();
      if (!frame) throw new Error(`The server hung up before it sent ${part}`);
      const text = decoder.decode(frame.payload);
      if (frame.opcode === OPCODES.text && text.includes(part)) return text;
    }
  }

  /** Sends FIN: nothing more will come from here. */
  async finish(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** Hangs up. */
  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // The runtime has closed it already.
    }
  }

  #next(): ServerFrame | undefined {
    const bytes = this.#unread;
    if (bytes.length < 2) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let length = bytes[1] & 127;
    let start = 2;
    if (length === 126) {
      if (bytes.length < 4) return undefined;
      [length, start] = [view.getUint16(2), 4];
    } else if (length === 127) {
      if (bytes.length < 10) return undefined;
      [length, start] = [Number(view.getBigUint64(2)), 10];
    }
    if (bytes.length < start + length) return undefined;
    this.#unread = bytes.subarray(start + length);
    return { opcode: bytes[0] & 15, payload: bytes.slice(start, start + length) };
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Makes the bytes of a frame. */
export function frameOf(
  opcode: number,
  payload: string | Uint8Array = "",
  options: FrameOptions = {},
): Uint8Array {
  const { fin = true, reserved = 0, masked = true } = options;
  const data = typeof payload === "string" ? encoder.encode(payload) : payload;
  const length = options.length ?? data.length;
  const head = [(fin ? 128 : 0) | reserved << 4 | opcode];
  const mask = masked ? 128 : 0;
  if (length < 126) head.push(mask | length);
  else if (length < 65_536) head.push(mask | 126, length >> 8, length & 255);
  else {
    head.push(mask | 127);
    for (let shift = 56n; shift >= 0n; shift -= 8n) {
      head.push(Number(BigInt(length) >> shift & 255n));
    }
  }
  const key = masked ? [1, 2, 3, 4] : [];
  return concat(
    Uint8Array.from([...head, ...key]),
    masked ? data.map((byte, i) => byte ^ key[i % 4]) : data,
  );
}

async function readSome(connection: Deno.TcpConn): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(65_536);
  try {
    const count = await connection.read(buffer);
    return count === null ? undefined : buffer.subarray(0, count);
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return undefined;
    throw error;
  }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
