import type { Addresses } from "./addresses.ts";
import { AttackerProcess } from "./attacker_process.ts";
import { ATTACKS } from "./attacks/mod.ts";
import { Company, type Delays, ROOMS } from "./company.ts";
import { mib, pause } from "./numbers.ts";
import { type Entry, ObservedHub } from "./observed_hub.ts";
import { Stranger } from "./stranger.ts";

/** The most memory that a hub may take, whatever is done to it. */
const RESIDENT_MAX_BYTES = 400 * 1024 * 1024;
/** How long acknowledgements may take, as a multiple of the 95th percentile without abuse. */
const SLOWER = 10;
/** Milliseconds below which a percentile is noise, and the longest that anybody may wait. */
const NOISE_MS = 5;
const LONGEST_MS = 1_000;
/** Bytes of log lines a minute that an attacker can cause. */
const LOGGED_MAX_BYTES = 1024 * 1024;
/** Milliseconds for which a hub is left alone before it is attacked, and after. */
const CALM_MS = 3_000;

/** What a trial showed: the worst of its windows, and what was not as it should be. */
export interface Verdict {
  readonly name: string;
  /** The most memory of the hub, in bytes. */
  residentBytes: number;
  /** How long acknowledgements took in the window in which the slowest hundredth took longest. */
  delays: Delays | undefined;
  /** The same in the hub that nobody attacked. */
  calm: Delays | undefined;
  /** How many strangers came by and were let in. */
  visits: number;
  readonly problems: string[];
}

/** What is tried. */
export interface TrialOptions {
  /** The attacks, by name. */
  readonly attacks: readonly string[];
  /** Who may enter the hub. */
  readonly entry: Entry;
  /** What to call it. */
  readonly name: string;
  readonly seconds: number;
  /** Seconds after which a line is written, with the figures since the one before. */
  readonly windowSeconds: number;
  readonly addresses: Addresses;
  /** The directory for a profile of the hub's processor time. @default {none} */
  readonly profile?: string;
}

/**
 * Attacks a hub while others behave in it, and beside it one that nobody attacks: both have the
 * same machine at the same time, so that the second one shows the same minutes without abuse.
 *
 * @returns What it showed.
 */
export async function runTrial(options: TrialOptions): Promise<Verdict> {
  const { attacks, entry, seconds, windowSeconds, addresses } = options;
  const mayBeCut = attacks.some((name) => ATTACKS.get(name)!.takesDescriptors);
  const isForAll = attacks.length > 1;
  const isUnseen = attacks.some((name) => ATTACKS.get(name)!.isUnseen);
  const problems: string[] = [];
  const verdict: Verdict = {
    name: options.name,
    residentBytes: 0,
    delays: undefined,
    calm: undefined,
    visits: 0,
    problems,
  };
  await using hub = await ObservedHub.start({ entry, isForAll, profile: options.profile });
  await using control = await ObservedHub.start({ entry, isForAll });
  const company = await Company.enter(hub, addresses.members);
  const calm = await Company.enter(control, addresses.members);
  const stranger = new Stranger(hub, addresses.stranger);
  if (!mayBeCut) stranger.start();
  await pause(CALM_MS);
  company.takeDelays();
  calm.takeDelays();

  await using attackers = new AttackerProcess({
    attacks,
    urls: addresses.attackers.map((address) => hub.urlFrom(address)),
    tokens: (await Promise.all(
      Array.from({ length: 20 }, (_, i) => hub.tokenOf(`mallory ${i}`)),
    )).filter((token) => token !== ""),
    rooms: ROOMS,
  });
  const end = performance.now() + seconds * 1_000;
  while (performance.now() < end) {
    const until = Math.min(end, performance.now() + windowSeconds * 1_000);
    while (performance.now() < until) {
      await pause(Math.max(0, Math.min(1_000, until - performance.now())));
      try {
        await hub.sample();
      } catch (error) {
        if (!mayBeCut && !isUnseen) problems.push(`no metrics: ${error}`);
      }
    }
    report(verdict, hub, {
      delays: company.takeDelays(),
      calm: calm.takeDelays(),
      mayWait: mayBeCut || isUnseen,
    });
    const visits = stranger.takeVisits();
    verdict.visits += visits.count;
    console.log(`    ${visits.text}; control ${control.entry}`);
  }
  const { counts, surprises } = await attackers.end();
  problems.push(...surprises);
  console.log("    attackers:", JSON.stringify(counts));

  await pause(CALM_MS);
  if (mayBeCut) {
    // All connections were closed: now everybody must get in again.
    stranger.start();
    await pause(CALM_MS);
  }
  const shutOut = await stranger.end();
  problems.push(...isUnseen ? [] : shutOut, ...await company.end({ mayBeCut }));
  await calm.end({ mayBeCut: true });
  problems.push(...await hub.ailments());
  await hub.sample();
  console.log(`    after: rss ${mib(hub.takeResidents().last)} MiB,`, hub.counters());
  const mayFail = new Set(mayBeCut ? ["accept_failed", "connections_closed"] : []);
  problems.push(...await hub.stop(mayFail));
  console.log("    log:", hub.logged());
  const { loggedBytes } = hub;
  if (loggedBytes > LOGGED_MAX_BYTES * Math.max(1, seconds / 60)) {
    problems.push(`${mib(loggedBytes)} MiB of log`);
  }
  return verdict;
}

/** Writes a window down, and adds what was wrong in it. */
function report(
  verdict: Verdict,
  hub: ObservedHub,
  seen: { readonly delays: Delays; readonly calm: Delays; readonly mayWait: boolean },
): void {
  const { problems } = verdict;
  const { delays, calm, mayWait } = seen;
  const residents = hub.takeResidents();
  const allowed = SLOWER * Math.max(NOISE_MS, calm.p95);
  const lag = hub.metric("hubbub_event_loop_delay_seconds_sum") /
    hub.metric("hubbub_event_loop_delay_seconds_count");
  console.log(
    `    rss median ${mib(residents.median)}, most ${mib(residents.most)} MiB,`,
    `heap ${mib(hub.metric("hubbub_heap_bytes"))};`,
    `acks ${textOf(delays)}; in the hub without abuse ${textOf(calm)};`,
    `connections ${hub.metric("hubbub_connections")}, rooms ${hub.metric("hubbub_rooms")},`,
    `waiting ${mib(hub.metric("hubbub_waiting_bytes"))} MiB, loop ${(1000 * lag).toFixed(1)} ms`,
  );
  verdict.residentBytes = Math.max(verdict.residentBytes, residents.most);
  if (!(verdict.delays && verdict.delays.p99 > delays.p99)) {
    Object.assign(verdict, { delays, calm });
  }
  if (residents.most > RESIDENT_MAX_BYTES) problems.push(`it took ${mib(residents.most)} MiB`);
  if (mayWait) return;
  if (delays.p99 > allowed) {
    problems.push(`acks took ${delays.p99.toFixed(0)} ms at p99, allowed ${allowed.toFixed(0)}`);
  }
  if (delays.most > Math.max(LONGEST_MS, SLOWER * calm.most)) {
    problems.push(`an ack took ${delays.most.toFixed(0)} ms`);
  }
  if (delays.count < calm.count / 2) problems.push(`only ${delays.count} of ${calm.count} acks`);
}

function textOf({ count, p50, p95, p99, most }: Delays): string {
  const [a, b, c, d] = [p50, p95, p99, most].map((ms) => ms.toFixed(1));
  return `p50 ${a} p95 ${b} p99 ${c} max ${d} ms of ${count}`;
}
