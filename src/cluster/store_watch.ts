/**
 * A watch of the store that does not go blind.
 *
 * @module
 */

import type { RoomLog } from "../store/room_log.ts";

/**
 * Milliseconds without news after which the store is watched anew: a second after a watch went dead
 * another one has replaced it.
 */
const RENEW_MS = 800;
/** Milliseconds before it is watched again where that failed. */
const RETRY_MS = 500;

/** How {@linkcode StoreWatch} behaves. */
export interface StoreWatchOptions {
  /** The store to watch. */
  readonly log: Pick<RoomLog, "watch">;
  /** Whether anybody would miss news now. */
  readonly isNeeded: () => boolean;
  /** Called with the newest commit; the next one waits for it. Must not reject. */
  readonly onNewest: (commit: string) => Promise<void>;
  /** Called before the watch begins, and after each gap: anything may have happened. */
  readonly onGap: () => void;
  /** Called where the store fails. */
  readonly onFailure: (error: unknown) => void;
}

/** One stream of the store. */
interface Stream {
  readonly reader: ReadableStreamDefaultReader<string>;
  /** What it told, until that is taken. */
  told: ReadableStreamReadResult<string> | { readonly error: unknown } | undefined;
}

/**
 * Watches a store for commits. A connection may die without a word, and its watch with it: so a
 * stream that has told nothing for 0.8 s is replaced by another one, which begins with the
 * newest commit. What happens often while `onNewest` is at work is told once.
 */
export class StoreWatch {
  readonly #options: StoreWatchOptions;
  #current: Stream | undefined;
  /** What is to replace it, once it has told something. */
  #fresh: Stream | undefined;
  #isClosed = false;
  /** Ends the pause that is being made. */
  #wake = () => {};

  /** @param options What to watch, and who is told. */
  constructor(options: StoreWatchOptions) {
    this.#options = options;
    void this.#run();
  }

  /** Stops watching. */
  close(): void {
    this.#isClosed = true;
    this.#drop();
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      this.#options.onGap();
      try {
        await this.#watch();
      } catch (error) {
        if (!this.#isClosed) this.#options.onFailure(error);
      }
      this.#drop();
      const until = performance.now() + RETRY_MS;
      while (!this.#isClosed && performance.now() < until) await this.#pause(until);
    }
  }

  /** Returns where a stream has ended. */
  async #watch(): Promise<void> {
    let current = this.#current = this.#open();
    let due = performance.now() + RENEW_MS;
    while (!this.#isClosed) {
      if (this.#fresh?.told) {
        cancel(current);
        current = this.#current = this.#fresh;
        this.#fresh = undefined;
      }
      const { told } = current;
      if (!told) {
        if (performance.now() >= due) {
          due = performance.now() + RENEW_MS;
          if (this.#options.isNeeded()) this.#fresh ??= this.#open();
        }
        await this.#pause(due);
        continue;
      }
      if ("error" in told) throw told.error;
      if (told.done) return;
      await this.#options.onNewest(told.value);
      due = performance.now() + RENEW_MS;
      if (!this.#isClosed) this.#read(current);
    }
  }

  #open(): Stream {
    const stream: Stream = { reader: this.#options.log.watch().getReader(), told: undefined };
    this.#read(stream);
    return stream;
  }

  #read(stream: Stream): void {
    stream.told = undefined;
    const tell = (told: Stream["told"]) => {
      stream.told = told;
      this.#wake();
    };
    stream.reader.read().then(tell, (error) => tell({ error }));
  }

  #drop(): void {
    for (const stream of [this.#current, this.#fresh]) if (stream) cancel(stream);
    this.#current = this.#fresh = undefined;
  }

  #pause(until: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), Math.max(0, until - performance.now()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function cancel({ reader }: Stream): void {
  reader.cancel().catch(() => {}); // It may have failed already, and was reported then.
}
