import { deadline } from "@std/async/deadline";

/**
 * Milliseconds after which what a test waits for will not come: enough for a machine whose
 * processors are all busy.
 */
export const PATIENCE_MS = 30_000;
/** Milliseconds between two looks at what tells nobody when it changes. */
const LOOK_MS = 5;

/**
 * Waits for a promise, but not for ever.
 *
 * @param promise What to wait for.
 * @param what What that is, for the error; a function is called when it is made.
 * @param patienceMs Milliseconds to wait.
 * @returns What the promise settles with.
 * @throws {Error} Where it has not settled in time.
 */
export async function within<T>(
  promise: Promise<T>,
  what: string | (() => string),
  patienceMs = PATIENCE_MS,
): Promise<T> {
  try {
    return await deadline(promise, patienceMs);
  } catch (cause) {
    // The promise may itself reject by a timeout: it has said why.
    if (!(cause instanceof DOMException && cause.name === "TimeoutError")) throw cause;
    const said = typeof what === "string" ? what : what();
    throw new Error(`Waited ${patienceMs / 1000} s in vain for ${said}`, { cause });
  }
}

/**
 * Looks again and again whether something holds, but not for ever.
 *
 * @param look Returns what is waited for, or undefined or false where it is not there yet.
 * @param what What that is, for the error; a function is called when it is made.
 * @returns What was found.
 * @throws {Error} Where it was not found in time.
 */
export async function eventually<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string | (() => string),
): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until) {
      const said = typeof what === "string" ? what : what();
      throw new Error(`Waited ${PATIENCE_MS / 1000} s in vain for ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
