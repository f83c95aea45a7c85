/**
 * Liveness of a connection.
 *
 * @module
 */

/** Milliseconds of silence, after something was said that should be answered, before a test. */
const ANSWER_EXPECTED_MS = 4_000;
/** Milliseconds by which a timer is late when the machine or the tab was asleep. */
const LATE_MS = 1_000;

/** How {@linkcode Heartbeat} behaves. */
export interface HeartbeatOptions {
  /** Milliseconds of silence after which the other side is tested. */
  readonly quietMs: number;
  /** Milliseconds that the other side has to say anything when it is tested. */
  readonly answerMs: number;
  /** Sends something that the other side answers. */
  readonly onTest: () => void;
  /** Called once after a start, when there is no answer. */
  readonly onDead: () => void;
}

/**
 * Detects a dead connection. TCP takes minutes to see that a network is dead, and a browser cannot
 * send the pings of WebSocket: so silence is timed, by a monotonic clock, and tested.
 *
 * @example
 * ```ts
 * import { Heartbeat } from "./heartbeat.ts";
 *
 * const heartbeat = new Heartbeat({
 *   quietMs: 20_000,
 *   answerMs: 5_000,
 *   onTest: () => console.log("Say something"),
 *   onDead: () => console.log("Gone"),
 * });
 * heartbeat.start();
 * heartbeat.heard(); // with each frame
 * heartbeat.stop();
 * ```
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When `#timer` is to fire. */
  #dueAt = 0;
  #quietSince = 0;
  #testedAt: number | undefined;
  #isHurried = false;
  #wasLate = false;

  /** @param options How long, and what to call. */
  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Starts timing silence. */
  start(): void {
    this.#wasLate = false;
    this.heard();
    this.#arm(this.#options.quietMs);
  }

  /** Stops timing. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Counts as a sign of life. Costs no timer, so it may be called for every frame. */
  heard(): void {
    this.#quietSince = performance.now();
    this.#testedAt = undefined;
    this.#isHurried = false;
  }

  /** Shortens the silence that is allowed: something was sent that should be answered soon. */
  expect(): void {
    const quietMs = Math.min(ANSWER_EXPECTED_MS, this.#options.quietMs);
    if (this.#timer === undefined || this.#isHurried || this.#testedAt !== undefined) return;
    this.#isHurried = true;
    this.#quietSince = performance.now();
    if (this.#dueAt > this.#quietSince + quietMs) this.#arm(quietMs);
  }

  /** Tests the other side now. */
  test(): void {
    if (this.#timer === undefined || this.#testedAt !== undefined) return;
    this.#testedAt = performance.now();
    this.#arm(this.#options.answerMs);
    this.#options.onTest();
  }

  #arm(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = performance.now() + delayMs;
    this.#timer = setTimeout(() => this.#check(), delayMs);
  }

  #check(): void {
    const now = performance.now();
    if (this.#testedAt !== undefined) {
      // After a sleep the timer comes before the answer that waits behind it: ask once more.
      if (now - this.#dueAt > LATE_MS && !this.#wasLate) {
        this.#wasLate = true;
        this.#testedAt = undefined;
        return this.test();
      }
      this.stop();
      return this.#options.onDead();
    }
    const { quietMs: longMs } = this.#options;
    const quietMs = this.#isHurried ? Math.min(ANSWER_EXPECTED_MS, longMs) : longMs;
    const silentMs = now - this.#quietSince;
    if (silentMs >= quietMs) this.test();
    else this.#arm(quietMs - silentMs);
  }
}
