/**
 * Whether the database works, for health checks.
 *
 * @module
 */

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
  /** The database's file, where it has one. */
  readonly file: string | undefined;
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed: () => number;
}

/** Reads a key, writes it now and then, and sees whether the file is still the same. */
export class KvProbe {
  readonly #options: KvProbeOptions;
  readonly #file: Promise<Deno.FileInfo | undefined> | undefined;
  #writtenAt = -Infinity;

  /** @param options What to ask. */
  constructor(options: KvProbeOptions) {
    this.#options = options;
    const { file } = options;
    // Where it cannot be looked at, it is not watched.
    if (file !== undefined) this.#file = Deno.stat(file).catch(() => undefined);
  }

  /**
   * Asks the database.
   *
   * @param timeoutMs Milliseconds that it has for each answer.
   * @throws What is wrong with it.
   */
  async run(timeoutMs: number): Promise<void> {
    const { handle, key, elapsed } = this.#options;
    await this.#checkFile();
    await handle.call("probe", (kv) => kv.get(key), timeoutMs);
    if (elapsed() - this.#writtenAt < WRITE_EVERY_MS) return;
    const options = { expireIn: EXPIRES_MS };
    await handle.call("probe", (kv) => kv.set(key, true, options), timeoutMs);
    this.#writtenAt = elapsed();
  }

  async #checkFile(): Promise<void> {
    const { file } = this.#options;
    const opened = await this.#file;
    if (file === undefined || opened === undefined) return;
    let found: Deno.FileInfo;
    try {
      found = await Deno.stat(file);
    } catch (cause) {
      throw new Error("The database's file is gone: what is stored now is lost", { cause });
    }
    if (found.ino === opened.ino && found.dev === opened.dev) return;
    throw new Error("The database's file was replaced: what is stored now is lost");
  }
}
