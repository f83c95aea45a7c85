import { monotonicUlid } from "@std/ulid/monotonic-ulid";
import { KvRoomLog } from "@hubbub/hub";
import { cursorAt } from "../../src/store/cursor.ts";
import { joinLines } from "../../src/store/entry.ts";
import { entryLine } from "../../src/store/entry_line.ts";
import { median } from "./load.ts";
import { LoadedServer } from "./loaded_server.ts";

const SIZES = [100, 1_000, 10_000, 100_000, 1_000_000];
/** Messages in an entry: a log of a million is then filled in some seconds. */
const ENTRY_MESSAGES = 25;
const ROOM = "long";
/** A room without messages, for what a server does for the first time. */
const OTHER_ROOM = "warm";
/** Messages in a page by HTTP: half of the shortest log has as many. */
const PAGE = 40;
/** Requests of each kind to one server. */
const REQUESTS = 40;
const SERVER_PROCESSORS = "0";

/** What things take in a room whose log has a length. All are milliseconds, seen by the client. */
export type LogPoint = {
  /** Messages in the log. */
  readonly messages: number;
  /** Joining, history included, where the room is not in memory: in a server just started. */
  readonly open_ms: number;
  /** The same where it is. */
  readonly join_ms: number;
  /** The newest page by HTTP. */
  readonly newest_ms: number;
  /** The page before the middle. */
  readonly before_ms: number;
  /** The page after the middle. */
  readonly after_ms: number;
};

type Times = Omit<LogPoint, "messages">;

/**
 * Measures what takes how long, with ever longer logs.
 *
 * @param options How many servers are started for each size; their median counts.
 * @returns A point for each size.
 */
export async function runLogSizes(
  { rounds }: { readonly rounds: number },
): Promise<LogPoint[]> {
  const points: LogPoint[] = [];
  for (const messages of SIZES) {
    const folder = await Deno.makeTempDir({ prefix: "hubbub-bench-" });
    try {
      const kv = `${folder}/kv.sqlite3`;
      const middle = await fill(kv, messages);
      const runs: Times[] = [];
      for (let round = 0; round < rounds; round++) runs.push(await measure(kv, middle));
      const of = (name: keyof Times) => Number(median(runs.map((run) => run[name])).toFixed(2));
      const point = {
        messages,
        open_ms: of("open_ms"),
        join_ms: of("join_ms"),
        newest_ms: of("newest_ms"),
        before_ms: of("before_ms"),
        after_ms: of("after_ms"),
      };
      points.push(point);
      console.log(`log ${messages}: open ${point.open_ms} ms, newest page ${point.newest_ms} ms`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  return points;
}

/**
 * Fills a room.
 *
 * @returns A cursor in the middle of its log.
 */
async function fill(path: string, messages: number): Promise<string> {
  using kv = await Deno.openKv(path);
  const log = new KvRoomLog(kv);
  let middle = "";
  for (let done = 0; done < messages; done += ENTRY_MESSAGES) {
    let lastId = "";
    const lines = Array.from({ length: ENTRY_MESSAGES }, (_, i) => {
      const text = `message ${done + i}: hello everyone in this room`;
      const sent_at = new Date().toISOString();
      lastId = monotonicUlid();
      return entryLine(JSON.stringify({ id: lastId, user: "ann", text, sent_at }));
    });
    const commit = await log.append(new Map([[ROOM, joinLines(lines, lastId)]]));
    if (done <= messages / 2) middle = cursorAt(commit, 0, 0);
  }
  return middle;
}

async function measure(kv: string, middle: string): Promise<Times> {
  await using server = await LoadedServer.startHub({ processors: SERVER_PROCESSORS, kv });
  const rooms = `//127.0.0.1:${server.port}/rooms`;
  const page = `http:${rooms}/${ROOM}/messages?limit=${PAGE}`;
  using _warm = await join(`ws:${rooms}/${OTHER_ROOM}/ws?user=ann`);
  await (await fetch(`http:${rooms}/${OTHER_ROOM}/messages`)).text();

  using opened = await join(`ws:${rooms}/${ROOM}/ws?user=ann`);
  const joins: number[] = [];
  for (let i = 0; i < REQUESTS; i++) {
    using joined = await join(`ws:${rooms}/${ROOM}/ws?user=bob${i}`);
    joins.push(joined.tookMs);
  }
  return {
    open_ms: opened.tookMs,
    join_ms: median(joins),
    newest_ms: await timeGets(page),
    before_ms: await timeGets(`${page}&before=${middle}`),
    after_ms: await timeGets(`${page}&after=${middle}`),
  };
}

/** Joins with a history of 10, and tells how long it took until the server said `joined`. */
async function join(url: string): Promise<Disposable & { readonly tookMs: number }> {
  const startedAt = performance.now();
  const socket = new WebSocket(url);
  await new Promise<void>((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      if (String(data).startsWith('{"type":"joined"')) resolve();
    };
    socket.onclose = socket.onerror = () => reject(new Error(`${url} cannot be joined`));
  });
  const tookMs = performance.now() - startedAt;
  socket.onclose = socket.onerror = null;
  return { tookMs, [Symbol.dispose]: () => socket.close() };
}

/** The median time of a request, in milliseconds; each must bring a full page. */
async function timeGets(url: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < REQUESTS; i++) {
    const startedAt = performance.now();
    const { messages } = await (await fetch(url)).json();
    times.push(performance.now() - startedAt);
    if (messages.length !== PAGE) throw new Error(`${url} brought ${messages.length} messages`);
  }
  return median(times);
}
