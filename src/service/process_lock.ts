/**
 * Named locks within one process, shared by its workers: Web Locks, which Deno has since 2.6.
 *
 * @module
 */

interface LockManager {
  request(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    action: (lock: unknown) => Promise<void>,
  ): Promise<void>;
}

/** The locks of this process; undefined where this Deno has none. */
function manager(): LockManager | undefined {
  return (navigator as { locks?: LockManager }).locks;
}

/**
 * Takes a lock, if nobody has it; the end of a worker releases what it holds.
 *
 * @param name The name of the lock.
 * @returns Releases it; undefined where it is taken. Where this Deno has no locks, none is.
 */
export function takeProcessLock(name: string): Promise<(() => void) | undefined> {
  const locks = manager();
  if (!locks) return Promise.resolve(() => {});
  return new Promise((resolve, reject) => {
    locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock) await new Promise<void>((release) => resolve(release));
      else resolve(undefined);
    }).catch(reject);
  });
}

/**
 * Waits until a lock has been released.
 *
 * @param name The name of the lock.
 * @param signal Ends the waiting.
 * @returns True when it has been; false where the signal came, or this Deno has no locks.
 */
export async function untilReleased(name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await manager()?.request(name, { signal }, () => Promise.resolve());
    return manager() !== undefined;
  } catch {
    return false;
  }
}
