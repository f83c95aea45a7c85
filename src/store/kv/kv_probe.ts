/**
 * Whether the database works, for health checks.
 *
 * @module
 */

import type { KvFile } from "./kv_file.ts";
import type { KvHandle } from "./kv_handle.ts";

/** Milliseconds between two writes of health checks, so that a full disk shows. */
const WRITE_EVERY_MS = 10_000;
/** Milliseconds after which what a check has written may go. */
const EXPIRES_MS = 60 * 60 * 1000;

/** What {@linkcode KvProbe} asks. */
export interface KvProbeOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** The key that it reads and writes. */
  readonly key: Deno.KvKey;
  /** The database's file. */
  readonly file: KvFile;
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed: () => number;
}

/** Reads a key, writes it now and then, and sees whether the file is still the same. */
export class KvProbe {
  readonly #options: KvProbeOptions;
  #writtenAt = -Infinity;

  /** @param options What to ask. */
  constructor(options: KvProbeOptions) {
    this.#options = options;
  }

  /**
   * Asks the database.
   *
   * @param timeoutMs Milliseconds that it has for each answer.
   * @throws What is wrong with it.
   */
  async run(timeoutMs: number): Promise<void> {
    const { handle, key, elapsed, file } = this.#options;
    await file.look();
    await handle.call("probe", (kv) => kv.get(key), timeoutMs);
    if (elapsed() - this.#writtenAt < WRITE_EVERY_MS) return;
    const options = { expireIn: EXPIRES_MS };
    await handle.call("probe", (kv) => kv.set(key, true, options), timeoutMs);
    this.#writtenAt = elapsed();
  }
}
