/**
 * Work that a commit leaves behind: deleting what stood in a deleted room, and erasing what a user
 * wrote.
 *
 * @module
 */

import type { ErasedCounts, OnErased } from "./room_meta.ts";
import type { StoreEvent } from "./store_event.ts";

/** Milliseconds before the first look for what others left, and between two looks. */
const START_MS = 2_000;
const TICK_MS = 60_000;
/** Milliseconds after which a task that nobody has worked at is an orphan. */
const ORPHAN_MS = 30_000;
/** Milliseconds between two times that it is said that a task is being worked at. */
const CLAIM_MS = 5_000;
/**
 * Milliseconds for which a task stays after its commit: an isolate that had not heard of that may
 * have written something of the old, and reads that began before must learn of it.
 */
const STAY_MS = 60_000;

/** What a task is about. */
export interface TaskName {
  /** What is to be done. */
  readonly kind: "clear" | "erase_user";
  /** The room. */
  readonly room: string;
  /** The user that is erased; empty where none is. */
  readonly user: string;
}

/** A task as it stands in the store. */
export interface StoreTask extends TaskName {
  /** Where to go on. */
  readonly after: string;
  /** Milliseconds since its commit. */
  readonly ageMs: number;
  /** Milliseconds since somebody has worked at it. */
  readonly idleMs: number;
  /** Tells whether somebody else has worked at it meanwhile. */
  readonly version: string;
}

/** What a step came to. */
export interface TaskStep {
  /** Where to go on; undefined where all is done. */
  readonly after: string | undefined;
  /** What it erased. */
  readonly erased: ErasedCounts;
}

/** What a step erased that erased nothing. */
export const NOTHING: ErasedCounts = { messages: 0, reactions: 0 };

/** How {@linkcode StoreTasks} behaves. */
export interface StoreTasksOptions {
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed: () => number;
  /** Receives events. */
  readonly onEvent: (event: StoreEvent) => void;
}

/**
 * Does in bounded steps what commits have left to be done, and what others have left: a task stands
 * in the store from its commit on until it is done. Every step may be done twice.
 */
export abstract class StoreTasks {
  readonly #options: StoreTasksOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /** @param options What is told of it. */
  constructor(options: StoreTasksOptions) {
    this.#options = options;
  }

  /** Begins to look for orphans: at once, and every minute. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#isStopped = false;
    this.#schedule(START_MS);
  }

  /** Stops. The step that is at work is finished. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Does a task.
   *
   * @param name The task.
   * @param onStep Called after each step. @default {nobody is told}
   * @throws Whatever the database rejects with: then it is left to a later look.
   */
  async run(name: TaskName, onStep?: OnErased): Promise<void> {
    const task = await this.find(name);
    if (task) await this.#work(task, { onStep, isStopped: () => false });
  }

  /**
   * Looks for tasks that nobody works at, and does them.
   *
   * @returns How many were worked at.
   */
  async tick(): Promise<number> {
    let count = 0;
    for (const task of await this.list()) {
      if (this.#isStopped) break;
      // A time ahead is one of a clock that was wrong.
      if (Math.abs(task.idleMs) < ORPHAN_MS) continue;
      await this.#work(task, { isStopped: () => this.#isStopped });
      count++;
    }
    return count;
  }

  async #work(
    task: StoreTask,
    { onStep, isStopped }: {
      readonly onStep?: OnErased;
      readonly isStopped: () => boolean;
    },
  ): Promise<void> {
    const { elapsed } = this.#options;
    let claimed: StoreTask | undefined;
    let claimedAt = -Infinity;
    for (let after: string | undefined = task.after; after !== undefined;) {
      if (isStopped()) return;
      if (elapsed() - claimedAt >= CLAIM_MS) {
        claimed = await this.claim({ ...(claimed ?? task), after });
        // Somebody else is at it.
        if (!claimed) return;
        claimedAt = elapsed();
      }
      const step = await this.step({ ...task, after });
      onStep?.(step.erased);
      after = step.after;
    }
    // What comes late is found by the next look, which begins anew.
    const done = claimed && await this.claim({ ...claimed, after: "" });
    if (done && Math.abs(done.ageMs) >= STAY_MS) await this.end(done);
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(async () => {
      try {
        await this.tick();
      } catch (error) {
        if (!this.#isStopped) this.#options.onEvent({ type: "erase_failed", error });
      }
      if (!this.#isStopped) this.#schedule(TICK_MS);
    }, ms);
  }

  /** Lists the tasks that stand in the store, some at a time. */
  protected abstract list(): Promise<readonly StoreTask[]>;

  /** Finds one of them. */
  protected abstract find(name: TaskName): Promise<StoreTask | undefined>;

  /**
   * Says that a task is being worked at, and where it goes on.
   *
   * @param task The task as it was read.
   * @returns The task as it stands now; undefined where somebody else has written it, or ended it.
   */
  protected abstract claim(task: StoreTask): Promise<StoreTask | undefined>;

  /** Ends a task, unless somebody else has written it. */
  protected abstract end(task: StoreTask): Promise<void>;

  /** Does a bounded part of a task. */
  protected abstract step(task: StoreTask): Promise<TaskStep>;
}
