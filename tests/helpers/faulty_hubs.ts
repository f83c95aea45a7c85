// Several hubs over one database and a fan-out that loses, delays, repeats and reorders, for models
// of what happens in their rooms: commits are slow, written twice, or lose their answers.

import { Hub, KvRoomLog } from "@hubbub/hub";
import { killHub } from "../../src/hub/hub.ts";
import { FaultyChannel } from "./faulty_fanout.ts";
import { injectFaults } from "./kv_faults.ts";
import type { Random } from "./random.ts";
import { pause } from "./test_isolates.ts";

/** Looks after which what is wrong is wrong, however slow the machine is. */
const ROUNDS_MIN = 20;
/** Milliseconds in which it has to come right, where the looks are quick. */
const PATIENCE_MS = 20_000;

/** A hub, and its end of the database. */
export interface FaultyHub {
  readonly hub: Hub;
  readonly kv: Deno.Kv;
  readonly log: KvRoomLog;
}

/** Hubs over one database, of which any may die. */
export class FaultyHubs {
  /** Those that live. */
  readonly all: FaultyHub[] = [];
  readonly #path: string;
  readonly #random: Random;
  readonly #channel: FaultyChannel;
  readonly #faults: { readonly lost: number; readonly twice: number; readonly slow: number };
  readonly #running = new Set<Promise<unknown>>();
  #isFaulty = true;

  /**
   * Decides what goes wrong; no hub is started.
   *
   * @param path The file of the database.
   * @param random What is left to chance.
   */
  constructor(path: string, random: Random) {
    this.#path = path;
    this.#random = random;
    const faults = {
      drop: random.pick([0, 0.1, 0.4]),
      repeat: random.pick([0, 0.2]),
      delay: random.pick([0, 0.3, 0.8]),
      delayMaxMs: random.pick([5, 40]),
      throw: random.pick([0, 0.05]),
    };
    this.#channel = new FaultyChannel(faults, random);
    this.#faults = {
      lost: random.pick([0, 0, 0.05]),
      twice: random.pick([0, 0, 0.1]),
      slow: random.pick([0, 0.3]),
    };
  }

  /** How many messages between hubs were lost. */
  get dropped(): number {
    return this.#channel.dropped;
  }

  /** Any one that lives. */
  any(): FaultyHub {
    return this.#random.pick(this.all);
  }

  /** Starts one more. */
  async start(): Promise<void> {
    const kv = await Deno.openKv(this.#path);
    const [random, { lost, twice, slow }] = [this.#random, this.#faults];
    injectFaults(kv).commit = async (commit) => {
      // So that those of several hubs are on their way at once.
      if (this.#isFaulty && random.chance(slow)) await pause(random.below(6));
      let result = await commit();
      // The client of a remote store repeats a write whose answer was lost.
      if (this.#isFaulty && random.chance(twice)) result = await commit();
      if (this.#isFaulty && random.chance(lost)) throw new Error("connection lost");
      return result;
    };
    // A machine that is busy with other runs answers late.
    const log = new KvRoomLog(kv, { timeoutMs: 60_000 });
    const limits = { messages_per_second: 0 };
    const fanout = this.#channel.connect();
    const hub = new Hub(log, { fanout, heartbeatMs: 100, expiryMs: 2_000, limits, logger() {} });
    this.all.push({ hub, kv, log });
  }

  /**
   * Kills one.
   *
   * @param index Its place among those that live.
   * @param onDeath Called with it before its database is closed.
   */
  kill(index: number, onDeath: (hub: Hub) => void = () => {}): void {
    const [{ hub, kv }] = this.all.splice(index, 1);
    killHub(hub);
    onDeath(hub);
    kv.close();
  }

  /** Lets something go on beside everything else; that it fails is no fault. */
  run(promise: Promise<unknown>): void {
    const settled = promise.catch(() => {}).finally(() => this.#running.delete(settled));
    this.#running.add(settled);
  }

  /**
   * Ends the faults of the store, and waits for what was begun.
   *
   * @param ms Milliseconds to wait at most.
   */
  async calm(ms: number): Promise<void> {
    this.#isFaulty = false;
    await Promise.race([Promise.all(this.#running), pause(ms)]);
  }

  /** Kills all that live, and ends the fan-out. */
  close(): void {
    while (this.all.length > 0) this.kill(0);
    this.#channel.close();
  }
}

/**
 * Looks until nothing is wrong, or as long as it may take.
 *
 * @param find Finds what is wrong.
 * @returns What still is.
 */
export async function untilRight(find: () => Promise<string[]>): Promise<string[]> {
  const until = performance.now() + PATIENCE_MS;
  for (let round = 1;; round++) {
    const found = await find();
    // A look that took long saw the beginning before the rest had come.
    const isOver = performance.now() > until && round >= ROUNDS_MIN;
    if (found.length === 0 || isOver) return found;
    await pause(50);
  }
}
