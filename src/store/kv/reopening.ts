/**
 * Opening a database again that may not answer.
 *
 * @module
 */

import { withDeadline } from "../deadline.ts";

/** Milliseconds after which another try begins beside one that is not answered. */
const NEXT_TRY_MS = 1_000;
/** Milliseconds after which a try has failed. */
const TRY_MS = 10_000;

/** How {@linkcode openAgain} tries. */
export interface OpenAgainOptions<T> {
  /** Opens the database, and makes sure that it answers. */
  readonly open: () => Promise<T>;
  /** Called with what was opened and is not needed. */
  readonly discard: (opened: T) => void;
  /** Called once, where a try has failed. */
  readonly onFailure: (error: unknown) => void;
  /** Aborts where there is no need any more. */
  readonly signal: AbortSignal;
}

/**
 * Opens a database again, however long that takes. Where the wire was cut a try hangs long after the
 * database can be reached again, and so another one begins every second.
 *
 * @param options How to open it.
 * @returns What the first try that succeeded has opened; undefined where it was stopped before.
 */
export async function openAgain<T>(options: OpenAgainOptions<T>): Promise<T | undefined> {
  const { open, discard, onFailure, signal } = options;
  const { promise: done, resolve } = Promise.withResolvers<T | undefined>();
  let isDone = false;
  let hasFailed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = (opened: T | undefined) => {
    isDone = true;
    clearTimeout(timer);
    resolve(opened);
  };
  const begin = async () => {
    timer = setTimeout(begin, NEXT_TRY_MS);
    const opening = open();
    try {
      const first = () => Promise.race([opening, done]);
      const opened = await withDeadline(TRY_MS, first, () => new Error("There is no answer"));
      if (!isDone && opened !== undefined) return end(opened);
    } catch (error) {
      if (!hasFailed && !isDone) onFailure(error);
      hasFailed = true;
    }
    // It came to nothing, or too late.
    opening.then(discard, () => {});
  };
  const stop = () => end(undefined);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  else void begin();
  const opened = await done;
  signal.removeEventListener("abort", stop);
  return opened;
}
