import http2 from "node:http2";
import type { Target } from "../target.ts";
import { longest } from "./long_messages.ts";

/** Streams of one HTTP/2 connection, and connections. */
const STREAMS = 180;
const SESSIONS = 4;
/** HTTP/1.1 connections, and requests that each of them has sent on at once. */
const CONNECTIONS = 200;
const PIPELINED = 20;

const PATH = "/rooms/big/messages?limit=100";

/** Asks for big pages over HTTP/2 and gives none of the streams a window. */
export async function unreadStreams(target: Target): Promise<void> {
  await fill(target);
  await target.repeat("unread session", { times: SESSIONS, pauseMs: 500 }, async () => {
    const session = http2.connect(target.url, { settings: { initialWindowSize: 0 } });
    session.on("error", () => {});
    const { headers } = target.credentials();
    for (let i = 0; i < STREAMS; i++) {
      const stream = session.request({ ...headers, ":path": PATH });
      stream.on("response", (answer) => target.count(`stream got ${answer[":status"]}`));
      stream.on("error", () => {});
    }
    await target.rest(15_000);
    session.destroy();
  });
}

/** Asks for big pages over HTTP/1.1, several at once on a connection, and does not read. */
export async function unreadAnswers(target: Target): Promise<void> {
  await fill(target);
  const { headers } = target.credentials();
  const lines = Object.entries({ host: "x", ...headers }).map(([name, value]) => {
    return `${name}: ${value}\r\n`;
  }).join("");
  const request = `GET ${PATH} HTTP/1.1\r\n${lines}\r\n`.repeat(PIPELINED);
  await target.repeat("unread answers", { times: CONNECTIONS, pauseMs: 500 }, async () => {
    using _connection = await target.connect(request);
    await target.rest(15_000);
  });
}

/** Writes a page of the longest messages. */
async function fill(target: Target): Promise<void> {
  for (let i = 0; i < 120 && !target.isOver; i++) {
    if (await target.post("big", longest(), `writer ${i}`) === 429) await target.rest(200);
  }
}
