// Ten minutes of abuse beside 50 members that behave:
//
//   deno task abuse [minutes]
//
// Fails where one of them misses a message, gets one twice or out of order, or is disturbed; where
// the hub is not well in the end; and where its memory has grown since the first minute.

import { sign } from "@hono/hono/jwt";
import { HubProcess } from "../hub_process.ts";
import type { Outcome, Plan } from "./attackers.ts";
import { WellBehaved } from "./well_behaved.ts";

const ROOMS = ["one", "two", "three", "four", "five"];
const MEMBERS = 50;
const SECRET = "0123456789abcdef0123456789abcdef";
const MINUTE_MS = 60_000;
/** What memory may be in the end, as a multiple of that after the first minute. */
const GROWTH_MAX = 1.25;

const minutes = Number(Deno.args[0] ?? 10);
if (!(minutes > 0)) throw new RangeError("The number of minutes must be above 0");
const problems: string[] = [];
const directory = await Deno.makeTempDir();
try {
  await using hub = await HubProcess.start({
    HUBBUB_KV: `${directory}/log`,
    HUBBUB_JWT_SECRET: SECRET,
  });
  await run(hub);
  const { code } = await hub.stop("SIGTERM");
  if (code !== 0) problems.push(`the hub ended with ${code}`);
  const logged = hub.lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      problems.push(`not a line of JSON: ${line}`);
      return [];
    }
  });
  const byEvent = Object.groupBy(logged, ({ event }) => event);
  for (const [event, lines] of Object.entries(byEvent)) console.log("log", event, lines?.length);
  const faults = logged.filter(({ level }) => level === "error");
  for (const fault of faults) problems.push(JSON.stringify(fault));
  const size = (await Deno.stat(`${directory}/log`)).size;
  console.log(`log in KV: ${mib(size)} MiB`);
} finally {
  await Deno.remove(directory, { recursive: true });
}
for (const problem of problems.slice(0, 50)) console.error("PROBLEM", problem);
console.log(problems.length === 0 ? "ok" : `FAILED: ${problems.length} problems`);
Deno.exit(problems.length === 0 ? 0 : 1);

async function run(hub: HubProcess): Promise<void> {
  const members = await Promise.all(Array.from({ length: MEMBERS }, async (_, i) => {
    const user = `member ${i}`;
    const token = await tokenFor(user);
    return new WellBehaved(hub.url, { room: ROOMS[i % ROOMS.length], user, token });
  }));
  await Promise.all(members.map(({ joined }) => joined));
  for (const member of members) member.talk();

  const worker = new Worker(new URL("./attackers.ts", import.meta.url), { type: "module" });
  const attacked = new Promise<Outcome>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => tokenFor(`mallory ${i}`)));
  worker.postMessage({ url: hub.url, tokens, rooms: ROOMS } satisfies Plan);

  const residents: number[] = [];
  for (let minute = 1; minute <= Math.ceil(minutes); minute++) {
    await pause(Math.min(1, minutes - minute + 1) * MINUTE_MS);
    residents.push(await report(hub, members, minute));
  }
  worker.postMessage("stop");
  const { counts, surprises } = await attacked;
  worker.terminate();
  problems.push(...surprises);
  console.log("attacks", JSON.stringify(counts));

  for (const member of members) member.hush();
  await pause(2_000);
  await judge(hub, members);
  const [first, last] = [residents[0], residents.at(-1)!];
  if (last > GROWTH_MAX * first) {
    problems.push(`memory grew from ${mib(first)} to ${mib(last)} MiB`);
  }
  const health = await (await fetch(`${hub.url}/health`)).json();
  console.log("health", JSON.stringify(health));
  if (health.status !== "ok") problems.push(`health: ${JSON.stringify(health)}`);
  await Promise.all(members.map((member) => member.leave()));
}

/** Every member of a room must have got what its log holds, in that order. */
async function judge(hub: HubProcess, members: readonly WellBehaved[]): Promise<void> {
  let messages = 0;
  for (const room of ROOMS) {
    const expected = await idsOf(hub, room);
    messages += expected.length;
    for (const member of members.filter((member) => member.room === room)) {
      const isSame = expected.length === member.ids.length &&
        expected.every((id, i) => id === member.ids[i]);
      if (!isSame) {
        problems.push(
          `${member.user} got ${member.ids.length} of ${expected.length}, or another order`,
        );
      }
    }
  }
  for (const { user, unanswered, surprises } of members) {
    if (unanswered > 0) problems.push(`${user} has ${unanswered} messages unanswered`);
    problems.push(...surprises);
  }
  console.log(`${MEMBERS} members got all ${messages} messages of ${ROOMS.length} rooms in order`);
}

async function idsOf(hub: HubProcess, room: string): Promise<string[]> {
  const headers = { authorization: `Bearer ${await tokenFor("judge")}` };
  const ids: string[] = [];
  for (let after = "0".repeat(24);;) {
    const url = `${hub.url}/rooms/${room}/messages?limit=100&after=${after}`;
    const { messages } = await (await fetch(url, { headers })).json();
    if (messages.length === 0) return ids;
    for (const { id } of messages) ids.push(id);
    after = messages.at(-1).cursor;
  }
}

async function report(
  hub: HubProcess,
  members: readonly WellBehaved[],
  minute: number,
): Promise<number> {
  const text = await (await fetch(`${hub.url}/metrics`)).text();
  const read = (name: string) =>
    Number(
      text.split("\n").find((l) => l.startsWith(`${name} `))
        ?.slice(name.length) ?? NaN,
    );
  const resident = read("process_resident_memory_bytes");
  const delays = members.flatMap(({ delaysMs }) => delaysMs.splice(0)).sort((a, b) => a - b);
  const at = (part: number) => delays[Math.floor(part * (delays.length - 1))]?.toFixed(1);
  const lag = read("hubbub_event_loop_delay_seconds_sum") /
    read("hubbub_event_loop_delay_seconds_count");
  console.log(
    `minute ${minute}: rss ${mib(resident)} MiB, connections ${read("hubbub_connections")}`,
    `(${read("hubbub_connections_closing")} closing), waiting ${
      mib(read("hubbub_waiting_bytes"))
    } MiB,`,
    `rooms ${read("hubbub_rooms")}, ack p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms`,
    `of ${delays.length}, loop delay ${(1000 * lag).toFixed(1)} ms,`,
    `stored ${read("hubbub_messages_stored_total")}`,
  );
  if (minute >= minutes) {
    console.log(
      text.split("\n").filter((l) =>
        /total|_count|_sum/.test(l) &&
        !l.startsWith("#")
      ).join("\n"),
    );
  }
  return resident;
}

async function tokenFor(user: string): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 60 * minutes + 600;
  return await sign({ sub: user, exp }, SECRET, "HS256");
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
