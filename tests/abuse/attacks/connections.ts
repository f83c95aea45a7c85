import { frameOf, OPCODES } from "../../helpers/raw_socket.ts";
import { envelope, flood, pick, type Target } from "../target.ts";

const encoder = new TextEncoder();

/** The head of a handshake, as it is sent. */
function handshake(target: Target, room: string): string {
  const { query, headers } = target.credentials();
  const all = {
    host: "x",
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `GET /rooms/${room}/ws?${query} HTTP/1.1\r\n${lines}\r\n`;
}

/** Reads to the end, whatever comes. */
async function drain(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  try {
    while (await connection.read(buffer) !== null);
  } catch {
    // It was cut, by the hub or by us.
  }
}

/** Heads and bodies of which a few bytes come each second. */
export async function drips(target: Target): Promise<void> {
  const head = "GET / HTTP/1.1\r\nhost: x\r\nx-long: ";
  const post = "POST /rooms/drips/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 400\r\n\r\n{";
  await target.repeat("drip", { times: 400, pauseMs: 100 }, async (index) => {
    using connection = await target.connect(index % 2 === 0 ? head : post);
    let isCut = false;
    void drain(connection).finally(() => isCut = true);
    for (let i = 0; i < 30 && !target.isOver && !isCut; i++) {
      await target.rest(500 + 1_000 * Math.random());
      await connection.write(encoder.encode("x"));
    }
  });
}

/** Connections that ask one thing, and from then on nothing. */
export async function idlers(target: Target): Promise<void> {
  await target.repeat("idler", { times: 1_500, pauseMs: 500 }, async () => {
    await target.rest(3_000 * Math.random());
    using _connection = await target.connect("GET /rooms/idlers HTTP/1.1\r\nhost: x\r\n\r\n");
    await target.rest(20_000);
  });
}

/** Sends hundreds of requests on a connection before it reads the first answer. */
export async function pipelines(target: Target): Promise<void> {
  const one = "GET /rooms/pipeline HTTP/1.1\r\nhost: x\r\n\r\n";
  const bytes = encoder.encode(one.repeat(500));
  await target.repeat("pipeline", { times: 50, pauseMs: 20 }, async () => {
    using connection = await target.connect();
    const reading = drain(connection);
    await target.upload(bytes.length);
    await connection.write(bytes);
    await Promise.race([reading, target.rest(5_000)]);
  });
}

/** Requests with whatever a parser may stumble over. */
export async function oddRequests(target: Target): Promise<void> {
  const long = "a".repeat(50_000);
  const heads = [
    `GET /?${long} HTTP/1.1\r\nhost: x\r\n\r\n`,
    `GET /rooms/${long} HTTP/1.1\r\nhost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: x\r\n${"x-many: y\r\n".repeat(90)}\r\n`,
    `GET / HTTP/1.1\r\nhost: x\r\n${"x-many: y\r\n".repeat(5_000)}\r\n`,
    `GET / HTTP/1.1\r\nhost: x\r\ncookie: ${long}\r\n\r\n`,
    `GET /rooms/one/messages?after=${"z".repeat(20)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    `GET /rooms/one/events?history=0 HTTP/1.1\r\nhost: x\r\nlast-event-id: ${long}\r\n\r\n`,
    `POST /rooms/odd/messages HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n` +
    `content-length: 10\r\n\r\n`,
    "POST /rooms/odd/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n\xff\xfe{",
    "POST /rooms/odd/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n" +
    "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /rooms/\xff\xfe/messages HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET http://other.example/ HTTP/1.1\r\nhost: x\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    "CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/9.9\r\nhost: x\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  ];
  await target.repeat("odd request", { times: 60, pauseMs: 20 }, async () => {
    using connection = await target.connect();
    const reading = drain(connection);
    const bytes = Uint8Array.from(pick(heads), (letter) => letter.charCodeAt(0));
    await target.upload(bytes.length);
    await connection.write(bytes);
    await Promise.race([reading, target.rest(pick([200, 2_000]))]);
  });
}

/** Asks for an upgrade, never reads the answer to it, and goes on sending. */
export async function deafHandshakes(target: Target): Promise<void> {
  await target.repeat("deaf handshake", { times: 100, pauseMs: 100 }, async () => {
    using connection = await target.connect(handshake(target, "deaf"));
    const text = frameOf(OPCODES.text, envelope("chat_message", { text: "x".repeat(2_000) }));
    for (let i = 0; i < 60 && !target.isOver; i++) {
      await target.upload(text.length);
      await connection.write(text);
      await target.rest(100);
    }
  });
}

/** Pings as fast as they can be sent, with as much in them as there may be. */
export async function pings(target: Target): Promise<void> {
  await target.repeat("pings", { times: 8, pauseMs: 100 }, async (index) => {
    using socket = await target.enter("pings", { query: "history=0" });
    const reading = socket.end().catch(() => {});
    const one = frameOf(OPCODES.ping, "x".repeat(index % 2 === 0 ? 0 : 125));
    const bytes = new Uint8Array(500 * one.length);
    for (let i = 0; i < 500; i++) bytes.set(one, i * one.length);
    while (!target.isOver) {
      await target.upload(bytes.length);
      await socket.write(bytes);
    }
    await socket.send(OPCODES.close);
    await reading;
  });
}

/** Frames that say they are compressed, odd ends, and connections closed on one side. */
export async function oddFrames(target: Target): Promise<void> {
  const code = (value: number) => new Uint8Array([value >> 8, value & 255, 0xff, 0xfe]);
  const codes = [0, 999, 1000, 1004, 1005, 1006, 1015, 2999, 4999, 65_535].map(code);
  await target.repeat("odd frame", { times: 40, pauseMs: 20 }, async () => {
    using socket = await target.enter("odd", { query: "history=0" });
    const reading = socket.end().catch(() => {});
    const kind = Math.floor(6 * Math.random());
    if (kind === 0) await socket.send(OPCODES.text, "compressed", { reserved: 4 });
    if (kind === 1) await socket.send(OPCODES.close, pick(codes));
    if (kind === 2) await socket.finish();
    if (kind === 3) await socket.send(OPCODES.text, new Uint8Array([0xff, 0xfe, 0x80]));
    if (kind === 4) await socket.send(OPCODES.text, "unmasked", { masked: false });
    if (kind === 5) await socket.send(OPCODES.text, "{", { length: 2 ** 40 });
    await Promise.race([reading, target.rest(pick([100, 1_000]))]);
  });
}

/** Keeps hundreds of streams of events of busy rooms, and comes back to them all the time. */
export async function streams(target: Target): Promise<void> {
  const readers = target.repeat("stream", { times: 400, pauseMs: 200 }, async (index) => {
    await target.rest(2_000 * Math.random());
    using socket = await target.open(`/rooms/streams-${index % 4}/events`, {
      query: pick([`after=${pick(["z", "0", "A"]).repeat(20)}`, "history=100"]),
    });
    await Promise.race([socket.end().catch(() => {}), target.rest(index % 4 === 0 ? 100 : 20_000)]);
  });
  const writers = target.repeat("writer to streams", { times: 4, pauseMs: 500 }, async (index) => {
    using socket = await target.enter(`streams-${index}`, { query: "history=0" });
    await flood(target, socket, envelope("chat_message", { text: "hello" }), 100);
  });
  await Promise.all([readers, writers]);
}

/** A thousand connections with one token, or under one name. */
export async function sharedToken(target: Target): Promise<void> {
  const [token] = target.plan.tokens;
  const headers: Record<string, string> = token === undefined
    ? {}
    : { authorization: `Bearer ${token}` };
  await target.repeat("shared token", { times: 1_000, pauseMs: 1_000 }, async () => {
    await target.rest(3_000 * Math.random());
    using socket = await target.enter("shared", { user: "mallory", headers });
    await Promise.race([socket.end(), target.rest(20_000)]);
  });
}
