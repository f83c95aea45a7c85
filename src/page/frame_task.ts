/**
 * Work that is done once an animation frame.
 *
 * @module
 */

/** Milliseconds after which the task runs where no frame is drawn, as in a hidden tab. */
const HIDDEN_MS = 1_000;

/**
 * A task that runs at most once an animation frame, however often it is requested.
 *
 * @example
 * ```ts ignore
 * const repaint = new FrameTask(() => list.replaceChildren(...items()));
 * repaint.request();
 * repaint.request(); // still one run
 * ```
 */
export class FrameTask {
  readonly #task: () => void;
  #isRequested = false;

  /** @param task The work; it may request itself again, for the next frame. */
  constructor(task: () => void) {
    this.#task = task;
  }

  /** Requests a run in the next frame. */
  request(): void {
    if (this.#isRequested) return;
    this.#isRequested = true;
    const run = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      this.#isRequested = false;
      this.#task();
    };
    const frame = requestAnimationFrame(run);
    const timer = setTimeout(run, HIDDEN_MS);
  }
}

/**
 * Waits for the next animation frame.
 *
 * @returns Resolves in it, or after a second where no frame is drawn.
 */
export function nextFrame(): Promise<void> {
  return new Promise((resolve) => new FrameTask(resolve).request());
}
