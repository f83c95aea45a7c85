/**
 * Time limits for promises of other parties.
 *
 * @module
 */

/**
 * Runs work that somebody else's promise may hold up, for a limited time.
 *
 * @param ms Milliseconds that the work may take.
 * @param signal Ends the work.
 * @param work The work. Its signal is aborted when the work is over, in time or not; what it does
 * after that is ignored.
 * @returns What the work returned. Rejects with a `TimeoutError` when the time is up, with the
 * signal's reason when that is aborted, or as the work does.
 *
 * @example
 * ```ts
 * import { withDeadline } from "./deadline.ts";
 *
 * const { signal } = new AbortController();
 * const never = new Promise<string>(() => {});
 * await withDeadline(10, signal, () => never).catch((error) => console.log(error.name)); // TimeoutError
 * ```
 */
export async function withDeadline<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  let cleanUp!: () => void;
  const ended = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason);
    const timer = setTimeout(() => reject(timeoutError(ms)), ms);
    signal.addEventListener("abort", abort);
    cleanUp = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    };
  });
  try {
    return await Promise.race([work(controller.signal), ended]);
  } finally {
    cleanUp();
    controller.abort();
  }
}

function timeoutError(ms: number): DOMException {
  return new DOMException(`there was no answer within ${Math.round(ms) / 1000} s`, "TimeoutError");
}
