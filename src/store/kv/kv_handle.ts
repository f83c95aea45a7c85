/**
 * The open database: a deadline for every call, and opening again where it does not answer.
 *
 * @module
 */

import { StoreTimeoutError, withDeadline } from "../deadline.ts";
import { untilWritten } from "./checked_write.ts";
import { openAgain } from "./reopening.ts";
import type { StoreEvent } from "../store_event.ts";

/** Milliseconds after which the fence of an isolate that is gone may go. */
const FENCE_MS = 30 * 24 * 60 * 60 * 1000;

/** How {@linkcode KvHandle} behaves. */
export interface KvHandleOptions {
  /** Milliseconds that a call may take. */
  readonly timeoutMs: number;
  /** Opens the database again. @default {undefined} the same handle is used on */
  readonly reopen?: () => Promise<Deno.Kv>;
  /** The key that every commit checks where the database may be opened again. */
  readonly fenceKey: Deno.KvKey;
  /** Receives events. */
  readonly onEvent: (event: StoreEvent) => void;
}

/**
 * A Deno KV that answers within a bounded time or is opened again.
 *
 * The client of a remote KV repeats every call for ever. So that a commit of a handle that was given
 * up can never land later, every commit checks a key that only this isolate writes, and opening
 * again writes it first.
 */
export class KvHandle {
  readonly #options: KvHandleOptions;
  /** What the caller opened, and will close. */
  readonly #given: Deno.Kv;
  #kv: Deno.Kv;
  /** The versionstamp of the fence; undefined where it has to be written first. */
  #fence: string | undefined;
  #reopening: Promise<void> | undefined;
  readonly #closing = new AbortController();
  readonly #onReopen = new Set<() => void>();
  /** The calls that are being answered. */
  readonly #running = new Set<Promise<void>>();

  /**
   * @param kv The database, which stays the caller's to close.
   * @param options How long calls may take.
   */
  constructor(kv: Deno.Kv, options: KvHandleOptions) {
    this.#given = this.#kv = kv;
    this.#options = options;
  }

  /** Whether commits check the fence. */
  get isFenced(): boolean {
    return this.#options.reopen !== undefined;
  }

  /**
   * Calls the database.
   *
   * @param name What is called, for the error.
   * @param action The call; calls `progress` where it takes several steps.
   * @param timeoutMs Milliseconds that each step may take.
   * @returns What the action returns.
   * @throws {StoreTimeoutError} Where there was no answer in time.
   */
  async call<T>(
    name: string,
    action: (kv: Deno.Kv, progress: () => void) => Promise<T>,
    timeoutMs: number = this.#options.timeoutMs,
  ): Promise<T> {
    let ended: Promise<unknown> = Promise.resolve();
    let used = this.#kv;
    return await withDeadline(timeoutMs, async (progress) => {
      if (this.#reopening) await this.#reopening;
      used = this.#kv;
      const running = action(used, progress);
      ended = this.#track(running);
      return await running;
    }, () => this.#timedOut(name, { timeoutMs, used, ended }));
  }

  /**
   * Commits.
   *
   * @param compose Adds what is to be written to an atomic operation that is new.
   * @param explain Finds out why it was refused, where `compose` adds checks: throws, or returns
   * the versionstamp where it was written before. @default {undefined} it adds none
   * @returns The commit's versionstamp.
   * @throws {StoreTimeoutError} Where there was no answer in time.
   * @throws Whatever `explain` throws.
   */
  async commit(
    compose: (atomic: Deno.AtomicOperation, kv: Deno.Kv) => Deno.AtomicOperation,
    explain?: (kv: Deno.Kv) => Promise<string | undefined>,
  ): Promise<string> {
    return await this.call("commit", async (kv) => {
      for (let attempt = 0; attempt < 3; attempt++) {
        const write = async () => {
          const atomic = compose(kv.atomic(), kv);
          if (this.isFenced) {
            const versionstamp = this.#fence ??= await this.#writeFence(kv);
            atomic.check({ key: this.#options.fenceKey, versionstamp });
          }
          return await atomic.commit();
        };
        const result = explain ? await untilWritten(write) : await write();
        if (result.ok) return result.versionstamp;
        const before = await explain?.(kv);
        if (before !== undefined) return before;
        // The database was put back, or somebody deleted the fence. Nothing was written.
        if (kv === this.#kv) this.#fence = undefined;
        else break;
      }
      throw new Error("The database refused a commit: the key that it checks is written by others");
    });
  }

  /**
   * Registers for being told that the database was opened again.
   *
   * @param listener Called each time.
   * @returns Ends it.
   */
  onReopen(listener: () => void): () => void {
    this.#onReopen.add(listener);
    return () => this.#onReopen.delete(listener);
  }

  /** Settles when the calls that are being answered now have been. Never rejects. */
  async answered(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #track(call: Promise<unknown>): Promise<void> {
    const ended = call.then(() => {}, () => {});
    this.#running.add(ended);
    await ended;
    this.#running.delete(ended);
  }

  /** Opens nothing again any more, and closes what it opened itself. */
  close(): void {
    this.#closing.abort();
    this.#discard(this.#kv);
  }

  #discard(kv: Deno.Kv | undefined): void {
    if (kv === this.#given) return;
    try {
      kv?.close();
    } catch {
      // It was closed before.
    }
  }

  #timedOut(
    name: string,
    call: { timeoutMs: number; used: Deno.Kv; ended: Promise<unknown> },
  ): StoreTimeoutError {
    const { reopen, onEvent } = this.#options;
    let settled = call.ended.then(() => {});
    if (reopen) {
      // A handle that has been replaced already needs no second replacement.
      if (call.used === this.#kv && !this.#closing.signal.aborted) {
        this.#reopening ??= this.#reopen(reopen);
      }
      if (this.#reopening) settled = Promise.race([settled, this.#reopening]);
    }
    const error = new StoreTimeoutError(name, call.timeoutMs, settled);
    onEvent({ type: "store_timeout", error });
    return error;
  }

  /** Never rejects. */
  async #reopen(reopen: () => Promise<Deno.Kv>): Promise<void> {
    const { onEvent } = this.#options;
    const abandoned = this.#kv;
    const opened = await openAgain({
      open: async () => {
        const kv = await reopen();
        try {
          return { kv, fence: await this.#writeFence(kv) };
        } catch (error) {
          this.#discard(kv);
          throw error;
        }
      },
      discard: ({ kv }) => this.#discard(kv),
      onFailure: (error) => onEvent({ type: "store_reopen_failed", error }),
      signal: this.#closing.signal,
    });
    this.#reopening = undefined;
    if (!opened) return;
    this.#kv = opened.kv;
    this.#fence = opened.fence;
    this.#discard(abandoned);
    onEvent({ type: "store_reopened" });
    for (const listener of this.#onReopen) listener();
  }

  async #writeFence(kv: Deno.Kv): Promise<string> {
    const { fenceKey } = this.#options;
    return (await kv.set(fenceKey, true, { expireIn: FENCE_MS })).versionstamp;
  }
}
