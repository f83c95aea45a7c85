import { envelope, flood, type Target } from "../target.ts";
import { long } from "./long_messages.ts";

/** Members of a busy room that take a little of what they are sent, and not too little. */
const TAKERS = 60;
/** Bytes that each of them takes at a time, and the milliseconds between. */
const BYTES = 4_096;
const PAUSE_MS = 50;

/** Reads a busy room so slowly that there is always something that waits. */
export async function slowTakers(target: Target): Promise<void> {
  const takers = target.repeat("slow taker", { times: TAKERS, pauseMs: 500 }, async (index) => {
    const { query, headers } = target.credentials(`taker ${index}`);
    const all = { ...headers, upgrade: "websocket", connection: "Upgrade", host: "x" };
    const lines = Object.entries({
      ...all,
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": "hubbub.v1.lines",
    }).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const path = `/rooms/slow/ws?${query}&history=100`;
    using connection = await target.connect(`GET ${path} HTTP/1.1\r\n${lines}\r\n`);
    const buffer = new Uint8Array(BYTES);
    while (!target.isOver && await connection.read(buffer) !== null) await target.rest(PAUSE_MS);
  });
  const writers = target.repeat("writer", { times: 5, pauseMs: 500 }, async (index) => {
    using socket = await target.enter("slow", { user: `writer ${index}` });
    await flood(target, socket, envelope("chat_message", { text: long() }), 55);
  });
  await Promise.all([takers, writers]);
}
