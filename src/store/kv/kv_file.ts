/**
 * The file of an open database.
 *
 * @module
 */

/** Milliseconds between two looks of those who write. */
const LOOK_EVERY_MS = 1_000;

/** How {@linkcode KvFile} looks. */
export interface KvFileOptions {
  /** The database's file; undefined where it has none. */
  readonly path: string | undefined;
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed: () => number;
}

/**
 * Sees whether the file of an open database is still the one that was opened. A file that is
 * deleted, or replaced, while it is open takes everything and keeps nothing.
 */
export class KvFile {
  readonly #options: KvFileOptions;
  readonly #opened: Promise<Deno.FileInfo | undefined> | undefined;
  /** The write-ahead log beside it, as it was seen first. */
  #wal: Deno.FileInfo | undefined;
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;

  /** @param options The file, which is open. */
  constructor(options: KvFileOptions) {
    this.#options = options;
    const { path } = options;
    // Where it cannot be looked at, it is not watched.
    if (path !== undefined) this.#opened = Deno.stat(path).catch(() => undefined);
  }

  /**
   * Looks, where the last look that found it was a second ago.
   *
   * @returns Undefined where there is no need.
   * @throws Where the file is gone, or another one.
   */
  lookSometimes(): Promise<void> | undefined {
    if (!this.#opened || this.#options.elapsed() - this.#lookedAt < LOOK_EVERY_MS) return undefined;
    return this.#looking ??= this.look().finally(() => this.#looking = undefined);
  }

  /**
   * Looks.
   *
   * @throws Where the file is gone, or another one.
   */
  async look(): Promise<void> {
    const { path, elapsed } = this.#options;
    const opened = await this.#opened;
    if (path === undefined || opened === undefined) return;
    await check(path, opened);
    // What was committed last stands in there alone.
    const wal = `${path}-wal`;
    if (this.#wal) await check(wal, this.#wal);
    else this.#wal = await Deno.stat(wal).catch(() => undefined);
    this.#lookedAt = elapsed();
  }
}

async function check(path: string, opened: Deno.FileInfo): Promise<void> {
  let found: Deno.FileInfo;
  try {
    found = await Deno.stat(path);
  } catch (cause) {
    // Where it cannot be looked at any more, nothing is known.
    if (!(cause instanceof Deno.errors.NotFound)) return;
    throw new Error("The database's file is gone: what is stored now is lost", { cause });
  }
  if (found.ino === opened.ino && found.dev === opened.dev) return;
  throw new Error("The database's file was replaced: what is stored now is lost");
}
