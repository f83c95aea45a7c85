/**
 * A bound on how long the store may take.
 *
 * @module
 */

/**
 * Milliseconds between two looks at a call that is under way. Of what passes from one to the next no
 * more than this counts: where the process was stopped, or its event loop busy with something else,
 * nobody could have heard the answer.
 */
const LOOK_MS = 500;
/** The least parts of its time in which a call is looked at. */
const LOOKS_MIN = 10;

/**
 * A call to the store was not answered in time. What it was to write may have been written all the
 * same, and may still be.
 */
export class StoreTimeoutError extends Error {
  /** Settles when what the call was to write has been written, or can no longer be. Never rejects. */
  readonly settled: Promise<void>;

  /**
   * @param call What was called.
   * @param timeoutMs Milliseconds that it had.
   * @param settled Settles when the call has come to an end after all. Must not reject.
   */
  constructor(call: string, timeoutMs: number, settled: Promise<void>) {
    super(`The store did not answer within ${timeoutMs} ms: ${call}`);
    this.name = "StoreTimeoutError";
    this.settled = settled;
  }
}

/**
 * Runs a call with a deadline, which begins anew with every sign of progress. Time counts only while
 * an answer could be heard: neither while the process is stopped nor while one turn of its event loop
 * lasts.
 *
 * @param timeoutMs Milliseconds without progress after which the call has failed.
 * @param call Runs; calls what it is given where there is progress.
 * @param onTimeout Makes the error.
 * @returns What the call returns.
 * @throws What `onTimeout` made, and whatever the call rejects with.
 *
 * @example
 * ```ts
 * import { withDeadline } from "./deadline.ts";
 *
 * const call = () => Promise.resolve(1);
 * console.log(await withDeadline(10_000, call, () => new Error("too slow"))); // 1
 * ```
 */
export function withDeadline<T>(
  timeoutMs: number,
  call: (progress: () => void) => Promise<T>,
  onTimeout: () => Error,
): Promise<T> {
  const lookMs = Math.min(LOOK_MS, timeoutMs / LOOKS_MIN);
  return new Promise((resolve, reject) => {
    let leftMs = timeoutMs;
    let lookedAt = performance.now();
    const look = () => {
      const now = performance.now();
      leftMs -= Math.min(now - lookedAt, lookMs);
      lookedAt = now;
      if (leftMs > 0) timer = setTimeout(look, Math.min(lookMs, leftMs));
      else reject(onTimeout());
    };
    let timer = setTimeout(look, lookMs);
    call(() => leftMs = timeoutMs).then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
