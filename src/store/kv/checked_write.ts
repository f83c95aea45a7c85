/**
 * Writing that depends on what stands there.
 *
 * @module
 */

import { delay } from "@std/async/delay";

/** Milliseconds between two tries, at most: chosen at random, so that isolates do not meet again. */
const PAUSE_MS = 10;

/**
 * Tries a checked write again until it succeeds. With several isolates on one SQLite file a commit
 * that checks throws "database is locked" before it writes anything.
 *
 * @param attempt Reads and writes; returns undefined where something else was written in between.
 * @param timeoutMs Milliseconds after which no further attempt is made. @default {5000}
 * @returns What the attempt returned.
 * @throws Whatever the attempt throws, and an `Error` where time ran out.
 */
export async function untilWritten<T>(
  attempt: () => Promise<T | undefined>,
  timeoutMs = 5_000,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      const result = await attempt();
      if (result !== undefined) return result;
      if (performance.now() > until) throw new Error("Others wrote the same key all the time");
    } catch (error) {
      const isLocked = error instanceof Error && /database is (locked|busy)/.test(error.message);
      if (!isLocked || performance.now() > until) throw error;
    }
    await delay(Math.random() * PAUSE_MS);
  }
}
