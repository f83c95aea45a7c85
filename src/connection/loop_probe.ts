/**
 * A probe of how long what is ready waits for the event loop.
 *
 * @module
 */

/** Milliseconds between two looks. */
const PAUSE_MS = 100;
/** Milliseconds for which it goes on after it was last asked for. */
const LASTS_MS = 2_000;
/** What is hashed: the least there can be. */
const NOTHING = new Uint8Array(1);

/** How a {@linkcode LoopProbe} behaves. */
export interface LoopProbeOptions {
  /** Called with the milliseconds that each answer took. Must not throw. */
  readonly onDelay: (ms: number) => void;
  /** Called where it begins after it was not asked to for a while. Must not throw. @default {nothing} */
  readonly onStart?: () => void;
  /** Settles when the runtime has answered what takes it no time. @default {a hash of one byte} */
  readonly ask?: () => Promise<unknown>;
}

/**
 * Probes the event loop while it is asked to. The answer of the runtime to a question that takes it no
 * time comes as that of a commit does: behind all sockets that are ready. A timer does not show that;
 * it comes in the next turn.
 *
 * @example
 * ```ts
 * import { LoopProbe } from "./loop_probe.ts";
 *
 * const probe = new LoopProbe({ onDelay: (ms) => console.log(ms < 1_000) }); // true
 * probe.poke();
 * await new Promise((resolve) => setTimeout(resolve, 50));
 * probe.stop();
 * ```
 */
export class LoopProbe {
  readonly #options: LoopProbeOptions;
  readonly #ask: () => Promise<unknown>;
  #until = 0;
  #isRunning = false;
  #isOver = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param options What is told the delays. */
  constructor(options: LoopProbeOptions) {
    this.#options = options;
    this.#ask = options.ask ?? (() => crypto.subtle.digest("SHA-256", NOTHING));
  }

  /** Probes for the next two seconds. */
  poke(): void {
    this.#until = performance.now() + LASTS_MS;
    if (this.#isRunning || this.#isOver) return;
    this.#isRunning = true;
    this.#options.onStart?.();
    void this.#look();
  }

  /** Stops, for good. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const askedAt = performance.now();
    await this.#ask();
    if (this.#isOver) return;
    const now = performance.now();
    this.#options.onDelay(now - askedAt);
    this.#isRunning = now < this.#until;
    if (this.#isRunning) this.#timer = setTimeout(() => void this.#look(), PAUSE_MS);
  }
}
