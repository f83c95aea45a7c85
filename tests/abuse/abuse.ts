// Ten minutes of abuse beside 50 members that behave:
//
//   deno task abuse [minutes]
//
// Fails where one of them misses a message, gets one twice or out of order, or is disturbed; where
// the hub is not well in the end; and where its memory (the median of a minute, looked at every
// second) has grown since the first minute.

import { signWithSecret } from "../helpers/tokens.ts";
import { HubProcess } from "../helpers/hub_process.ts";
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
    const until = performance.now() + Math.min(1, minutes - minute + 1) * MINUTE_MS;
    const samples: Sample[] = [];
    while (performance.now() < until) {
      await pause(1_000);
      samples.push(await sample(hub));
    }
    residents.push(report(members, minute, samples));
  }
  worker.postMessage("stop");
  const { counts, surprises } = await attacked;
  worker.terminate();
  problems.push(...surprises);
  console.log("attacks", JSON.stringify(counts));

  for (const member of members) member.hush();
  await pause(2_000);
  await judge(hub, members);
  // The first minute begins with an empty hub.
  const [first, last] = [residents[1] ?? residents[0], residents.at(-1)!];
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
  for (let after = "0".repeat(20);;) {
    const url = `${hub.url}/rooms/${room}/messages?limit=100&after=${after}`;
    const { messages } = await (await fetch(url, { headers })).json();
    if (messages.length === 0) return ids;
    for (const { id } of messages) ids.push(id);
    after = messages.at(-1).cursor;
  }
}

/** What the hub tells about itself. */
type Sample = ReadonlyMap<string, number>;

async function sample(hub: HubProcess): Promise<Sample> {
  const text = await (await fetch(`${hub.url}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), Number(line.slice(space))];
  }));
}

/** Writes down a minute; returns the median of its memory. */
function report(members: readonly WellBehaved[], minute: number, samples: Sample[]): number {
  const last = samples.at(-1)!;
  const read = (name: string) => last.get(name) ?? NaN;
  const spread = (name: string) => sorted(samples.map((sample) => sample.get(name) ?? NaN));
  const [resident, heap] = [spread("process_resident_memory_bytes"), spread("hubbub_heap_bytes")];
  const delays = sorted(members.flatMap(({ delaysMs }) => delaysMs.splice(0)));
  const delay = (part: number) => at(delays, part).toFixed(1);
  const lag = read("hubbub_event_loop_delay_seconds_sum") /
    read("hubbub_event_loop_delay_seconds_count");
  console.log(
    `minute ${minute}: rss ${mib(at(resident, 0.5))} (${mib(resident[0])} to`,
    `${mib(resident.at(-1)!)}), heap ${mib(at(heap, 0.5))} (${mib(heap[0])} to`,
    `${mib(heap.at(-1)!)}) MiB, connections ${read("hubbub_connections")}`,
    `(${read("hubbub_connections_closing")} closing, ${
      mib(read("hubbub_waiting_bytes"))
    } MiB wait),`,
    `ack p50 ${delay(0.5)} p99 ${delay(0.99)} max ${delay(1)} ms of ${delays.length},`,
    `loop delay ${(1000 * lag).toFixed(1)} ms, stored ${read("hubbub_messages_stored_total")}`,
  );
  if (minute >= minutes) {
    for (const [name, value] of last) if (/_total/.test(name)) console.log(name, value);
  }
  return at(resident, 0.5);
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

function at(values: readonly number[], part: number): number {
  return values[Math.floor(part * (values.length - 1))] ?? NaN;
}

async function tokenFor(user: string): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 60 * minutes + 600;
  return await signWithSecret({ sub: user, exp }, SECRET);
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
