/** Milliseconds between two looks at how late this process is. */
const TICK_MS = 10;

/**
 * Measures how long something takes, without the time that the machine was busy with something
 * else: how late a timer fires is taken off. A promise such as "within 3 s" can be held like that
 * while other processes want all processors.
 */
export class Stopwatch implements Disposable {
  readonly #startedAt = performance.now();
  #expectedAt = this.#startedAt + TICK_MS;
  #lateMs = 0;
  readonly #timer = setInterval(() => this.#tick(), TICK_MS);

  /** Milliseconds since the start. */
  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** The same, without those that this process had to wait for a processor. */
  get ms(): number {
    const lateMs = Math.max(0, performance.now() - this.#expectedAt);
    return this.elapsedMs - this.#lateMs - lateMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    this.#lateMs += Math.max(0, now - this.#expectedAt);
    this.#expectedAt = now + TICK_MS;
  }
}
