/**
 * A bound on how long the store may take.
 *
 * @module
 */

/** Milliseconds by which a timer may be late before the process counts as having been stopped. */
const LATE_MS = 1_000;

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
 * Runs a call with a deadline, which begins anew with every sign of progress. Where the whole
 * process was stopped meanwhile, the call gets its time once more.
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
  return new Promise((resolve, reject) => {
    let due = performance.now() + timeoutMs;
    const check = () => {
      const now = performance.now();
      if (now - due > LATE_MS) due = now + timeoutMs;
      if (now < due) timer = setTimeout(check, due - now);
      else reject(onTimeout());
    };
    let timer = setTimeout(check, timeoutMs);
    call(() => due = performance.now() + timeoutMs)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
