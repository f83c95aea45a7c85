import type { Target } from "../target.ts";

const encoder = new TextEncoder();
const CHUNK = `1000\r\n${" ".repeat(0x1000)}\r\n`;
const TRAILERS = "x-trailer: ".padEnd(4_094, "y") + "\r\n";

/** Posts bodies and trailers without an end, and heads and bodies that never come. */
export async function endlessBodies(target: Target): Promise<void> {
  const start = (encoding: string) => {
    const { headers } = target.credentials();
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    return `POST /rooms/bodies/messages HTTP/1.1\r\nhost: x\r\n${more}${encoding}\r\n\r\n`;
  };
  const chunked = start("transfer-encoding: chunked");
  const message = '{"text":"hello","user":"mallory"}';
  const whole = `${message.length.toString(16)}\r\n${message}\r\n0\r\n`;
  const kinds: [head: string, more: string][] = [
    [chunked, CHUNK],
    [chunked + whole, TRAILERS],
    [chunked + "1\r\n{\r\n", ""],
    [start("content-length: 1000"), ""],
    [start("content-length: 1000000000"), " ".repeat(4_096)],
    ["GET / HTTP/1.1\r\n", TRAILERS],
    [
      "GET /rooms/bodies/events HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n",
      " ".repeat(4_096),
    ],
    ["GET / HTTP/1.1\r\nhost:", ""],
  ];
  await target.repeat("endless body", { times: 48, pauseMs: 20 }, async (index) => {
    const [head, more] = kinds[index % kinds.length];
    using connection = await target.connect(head);
    const bytes = encoder.encode(more.repeat(8));
    const hasEnded = readToEnd(connection);
    for (let i = 0; !target.isOver && i < 10_000; i++) {
      if (more === "") await Promise.race([hasEnded, target.rest(5_000)]);
      else {
        await target.upload(bytes.length);
        await connection.write(bytes);
      }
      if (more === "") break;
    }
  });
}

async function readToEnd(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4_096);
  try {
    while (await connection.read(buffer) !== null);
  } catch {
    // It was cut, by the hub or by us.
  }
}
