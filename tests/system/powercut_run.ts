// Cuts the power of a server's disk, as often as one likes:
//   deno task powercut [--seed N] [--messages N] [--cuts N]
// A server is traced while it stores messages: what it writes, and what it syncs. Then its database
// is put together as a power cut would have left it, at random moments and with any part of what was
// not synced, and opened: every message that was acknowledged before the cut must stand in it, as
// it was acknowledged, and nothing that nobody sent. Ends with 1 where anything is wrong.

import { Hub, KvRoomLog } from "@hubbub/hub";
import { parseArgs } from "node:util";
import { DatabaseSync } from "node:sqlite";
import { ORIGIN } from "../../src/store/cursor.ts";
import { messageText } from "../../src/store/entry.ts";
import { readTrace, straceArgs, TracedDisk } from "../helpers/disk_trace.ts";
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { eventually } from "../helpers/patience.ts";
import { Random } from "../helpers/random.ts";

/** How much is done. */
export interface PowercutScale {
  /** Decides everything that is left to chance, but for what the clock decides. */
  readonly seed: number;
  /** Messages that are stored. */
  readonly messages: number;
  /** How often the power is cut. */
  readonly cuts: number;
}

/** What it came to. */
export interface PowercutAccount {
  readonly acknowledged: number;
  /** Writes and syncs that were traced. */
  readonly steps: number;
  readonly cuts: number;
  /** Acknowledged messages that were looked for, over all cuts. */
  readonly checked: number;
  /** Messages that were there although the cut came before their acknowledgement. */
  readonly early: number;
  /** What is wrong, each in a line. */
  readonly violations: readonly string[];
}

/** Cuts of a disk that syncs nothing: they must be noticed, or nothing would be. */
const CONTROL_CUTS = 5;

/** A message that was acknowledged. */
interface Acknowledged {
  readonly room: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What the answer was. */
  readonly message: { readonly cursor: string; readonly text: string };
  readonly body: string;
}

/** Writers at the same time, each in a room of its own and in one that they share. */
const WRITERS = 6;
const SHARED = "shared";
/** Messages after which a writer's server is stopped in order and started again. */
const STOPS = 3;

/**
 * Traces a server, and cuts its power.
 *
 * @param scale How much is done.
 * @returns What it came to, and the same for a disk that says it has synced and has not.
 */
export async function runPowercut(
  scale: PowercutScale,
): Promise<{ account: PowercutAccount; control: PowercutAccount }> {
  return await inFolder(async (folder) => {
    const random = new Random(scale.seed);
    const acknowledged: Acknowledged[] = [];
    const traces: string[] = [];
    for (let stop = 0; stop < STOPS; stop++) {
      const trace = `${folder}/trace${stop}`;
      traces.push(trace);
      await load(`${folder}/disk`, trace, random, scale.messages / STOPS, acknowledged);
    }
    acknowledged.sort((one, other) => one.at - other.at);
    const of = { folder, traces, random, acknowledged };
    return {
      account: await cutAll({ ...of, cuts: scale.cuts, syncs: true }),
      control: await cutAll({ ...of, cuts: CONTROL_CUTS, syncs: false }),
    };
  });
}

/** Runs a server under strace, and has it store messages; what it acknowledges is added. */
async function load(
  folder: string,
  trace: string,
  random: Random,
  messages: number,
  acknowledged: Acknowledged[],
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const environment = { HUBBUB_KV: `${folder}/kv`, HUBBUB_MESSAGES_PER_SECOND: "100000" };
  const deno = [Deno.execPath(), "run", "-A", "--no-prompt", "main.ts"];
  const hub = await HubProcess.start(environment, [...straceArgs(trace), ...deno], "strace");
  try {
    await Promise.all(Array.from({ length: WRITERS }, async (_, writer) => {
      for (let i = 0; i < messages / WRITERS; i++) {
        const room = random.chance(0.5) ? SHARED : `room${writer}`;
        // Now and then a long one, so that the write-ahead log is emptied into the database.
        const text = crypto.randomUUID() +
          "x".repeat(random.chance(0.2) ? 4_000 : random.below(200));
        const body = JSON.stringify({ user: `u${writer}`, text });
        const url = `${hub.url}/rooms/${room}/messages`;
        const response = await fetch(url, { method: "POST", body });
        const answer = await response.text();
        if (response.status !== 201) throw new Error(`POST: ${response.status} ${answer}`);
        const at = performance.timeOrigin + performance.now();
        acknowledged.push({ room, at, message: JSON.parse(answer), body: answer });
      }
    }));
  } finally {
    hub.signal(random.chance(0.5) ? "SIGTERM" : "SIGKILL");
    await hub.end();
  }
  const { pid } = hub;
  // strace itself ends a moment later.
  const end = new RegExp(`^${pid} +.*(exited with|killed by)`, "m");
  await eventually(async () => {
    const { size } = await Deno.stat(trace);
    using file = await Deno.open(trace);
    await file.seek(Math.max(0, size - 4_096), Deno.SeekMode.Start);
    return end.test(await new Response(file.readable).text());
  }, "the end of the trace");
}

async function cutAll({ folder, traces, random, cuts, acknowledged, syncs }: {
  folder: string;
  traces: readonly string[];
  random: Random;
  cuts: number;
  acknowledged: readonly Acknowledged[];
  syncs: boolean;
}): Promise<PowercutAccount> {
  const disk = new TracedDisk();
  const violations: string[] = [];
  const first = acknowledged[0].at - 100;
  const last = acknowledged.at(-1)!.at + 100;
  const moments = Array.from({ length: cuts }, () => first + random.next() * (last - first));
  moments.sort((one, other) => one - other);
  const account = { checked: 0, early: 0, cuts: 0 };
  const cut = async (at: number) => {
    const mode = syncs ? random.pick(["all", "none", "some", "some"] as const) : "all";
    const name = `${folder}/cut`;
    await Deno.mkdir(name);
    // The index of the write-ahead log is memory that is shared, and is made again.
    const nameOf = (file: string) =>
      file.endsWith("-shm") ? undefined : `${name}/${file.split("/").at(-1)}`;
    await disk.cut(random, mode, nameOf);
    const before = acknowledged.filter((one) => one.at <= at);
    const found = await check(`${name}/kv`, before, new Set(acknowledged.map(({ body }) => body)));
    violations.push(...found.wrong.map((what) => `cut ${account.cuts} (${mode}): ${what}`));
    account.checked += before.length;
    account.early += found.early;
    account.cuts++;
    await Deno.remove(name, { recursive: true });
  };
  for (const trace of traces) {
    for await (const step of readTrace(trace, `${folder}/disk`)) {
      while (moments.length > 0 && moments[0] < step.at) await cut(moments.shift()!);
      if (syncs || step.type !== "sync") disk.apply(step);
    }
  }
  while (moments.length > 0) await cut(moments.shift()!);
  return { acknowledged: acknowledged.length, steps: disk.steps, violations, ...account };
}

/** Opens what a cut has left, and holds it against what was acknowledged before. */
async function check(
  path: string,
  before: readonly Acknowledged[],
  sent: ReadonlySet<string>,
): Promise<{ wrong: string[]; early: number }> {
  const wrong: string[] = [];
  let early = 0;
  using kv = await Deno.openKv(path);
  const damaged: string[] = [];
  const log = new KvRoomLog(kv);
  const detach = log.attach((event) => damaged.push(JSON.stringify(event)));
  const rooms = await log.rooms({ limit: 1_000 });
  const found = new Map<string, Set<string>>();
  for (const room of rooms) {
    const records = await log.after(room, ORIGIN, { limit: Infinity });
    const bodies = found.set(room, new Set(records.map(messageText))).get(room)!;
    for (const body of bodies) if (!sent.has(body)) wrong.push(`${room} holds ${body}`);
    early += bodies.size;
    const head = await log.head(room);
    if (head !== (records.at(-1)?.cursor ?? ORIGIN)) wrong.push(`the head of ${room} is ${head}`);
  }
  for (const { room, body } of before) {
    if (!found.get(room)?.has(body)) wrong.push(`${room} lost ${body}`);
  }
  wrong.push(...damaged);
  detach();
  // It goes on from there: the next commit is behind all that stands.
  const hub = new Hub(log, { logger: () => {}, alone: true });
  const stored = await hub.publish(SHARED, "ann", { text: "after the cut" });
  const cursors = before.map(({ message }) => message.cursor).sort();
  if (stored.status !== "stored" || stored.record.cursor <= (cursors.at(-1) ?? "")) {
    wrong.push("what is stored next does not come last");
  }
  await hub.drain();
  using database = new DatabaseSync(path);
  const [{ integrity_check: state }] = database.prepare("pragma integrity_check").all();
  if (state !== "ok") wrong.push(`the database is damaged: ${state}`);
  return { wrong, early: early - before.length };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seed: { type: "string" }, messages: { type: "string" }, cuts: { type: "string" } },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  const [messages, cuts] = [Number(values.messages ?? 1_500), Number(values.cuts ?? 300)];
  const { account: { violations, ...account }, control } = await runPowercut({
    seed,
    messages,
    cuts,
  });
  for (const violation of violations.slice(0, 20)) console.error(violation.slice(0, 300));
  console.log(
    `seed ${seed}: ${account.acknowledged} messages acknowledged, ${account.steps} writes and ` +
      `syncs, ${account.cuts} cuts, ${account.checked} messages looked for, ${account.early} ` +
      `more were there, ${violations.length} wrong; a disk that syncs nothing: ` +
      `${control.violations.length} wrong in ${control.cuts} cuts`,
  );
  Deno.exit(violations.length > 0 || control.violations.length === 0 ? 1 : 0);
}
