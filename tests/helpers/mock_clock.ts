import { mock } from "node:test";

/** `performance.now()` and `setTimeout` on a clock that stands still until it is moved. */
export class MockClock implements Disposable {
  /** Milliseconds since it was made. */
  now = 0;
  readonly #performance = mock.method(performance, "now", () => this.now);

  /** Takes the place of the real ones until it is disposed of. */
  constructor() {
    mock.timers.enable({ apis: ["setTimeout"] });
  }

  /** Moves the clock on. */
  tick(ms: number): void {
    this.now += ms;
    mock.timers.tick(ms);
  }

  [Symbol.dispose](): void {
    mock.timers.reset();
    this.#performance.mock.restore();
  }
}
