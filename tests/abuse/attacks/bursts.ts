import type { Target } from "../target.ts";

/** Requests that are sent at once, which is what an address may. */
const AT_ONCE = 1_500;
/** Milliseconds until the address may again. */
const PAUSE_MS = 5_000;

/** Asks for a lot at one moment, and again when that is allowed. */
export async function bursts(target: Target): Promise<void> {
  const requests = [
    "GET /rooms/one/messages HTTP/1.1\r\nhost: x\r\n",
    "GET /rooms/one HTTP/1.1\r\nhost: x\r\n",
    "GET /metrics HTTP/1.1\r\nhost: x\r\n",
    `GET / HTTP/1.1\r\nhost: x\r\naccept-encoding: ${"x,".repeat(30_000)}\r\n`,
    `GET /rooms/one/ws HTTP/1.1\r\nhost: x\r\nsec-websocket-protocol: ${"x,".repeat(30_000)}\r\n`,
  ];
  while (!target.isOver) {
    await Promise.all(Array.from({ length: AT_ONCE }, async (_, i) => {
      try {
        const head = requests[i % requests.length];
        if (head.length > 1_000) await target.upload(head.length);
        using connection = await target.connect(`${head}connection: close\r\n\r\n`);
        const buffer = new Uint8Array(16_384);
        while (await connection.read(buffer) !== null);
        target.count("request");
      } catch {
        target.count("request, cut");
      }
    }));
    await target.rest(PAUSE_MS);
  }
}
