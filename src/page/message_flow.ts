/**
 * The way of messages from the connection to the timeline.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { FrameTask } from "./frame_task.ts";
import { RenderBudget } from "./render_budget.ts";

/** Messages that are shown at once in a hidden tab, whose timers may run once a minute only. */
const SHOWN_HIDDEN = 600;

/** A step on the way: a message, or what happens between two of them. */
type Step =
  | { readonly type: "message"; readonly message: StoredMessage }
  | { readonly type: "gap"; readonly isRestart: boolean }
  | { readonly type: "call"; readonly callback: () => void };

/** The options of {@linkcode MessageFlow}. */
export interface MessageFlowOptions {
  /** Shows messages, oldest first: those of one animation frame. */
  readonly show: (messages: readonly StoredMessage[]) => void;
  /** Shows that messages may be missing; with a restart, what follows is another log. */
  readonly showGap: (isRestart: boolean) => void;
}

/**
 * Shows messages once an animation frame, some at a time. What a new connection brings waits until
 * it is known whether anything is missing before it, so that a gap stands where it is.
 */
export class MessageFlow {
  readonly #options: MessageFlowOptions;
  readonly #repaint = new FrameTask(() => this.#flush());
  #steps: Step[] = [];
  /** While a connection is being made: what it brought so far. */
  #arriving: Step[] | undefined = [];

  /** @param options How to show. */
  constructor(options: MessageFlowOptions) {
    this.#options = options;
  }

  /** Takes the next message of the log. */
  add(message: StoredMessage): void {
    this.#push({ type: "message", message });
  }

  /** A connection is being made: what it brings waits. */
  beginArrival(): void {
    this.#arriving ??= [];
  }

  /** The connection is made, or lost again: what it brought is shown. */
  endArrival(gap?: { readonly isRestart: boolean }): void {
    const steps = this.#arriving ?? [];
    this.#arriving = undefined;
    if (gap) this.#push({ type: "gap", ...gap });
    for (const step of steps) this.#push(step);
  }

  /**
   * Calls back when everything so far is shown.
   *
   * @param callback Called in an animation frame.
   */
  afterAll(callback: () => void): void {
    this.#push({ type: "call", callback });
  }

  #push(step: Step): void {
    if (this.#arriving) return void this.#arriving.push(step);
    this.#steps.push(step);
    this.#repaint.request();
  }

  #flush(): void {
    const budget = new RenderBudget();
    const isHidden = document.visibilityState === "hidden";
    const fits = (step: Step, index: number) =>
      isHidden ? index < SHOWN_HIDDEN : step.type !== "message" || budget.spend(step.message);
    const end = this.#steps.findIndex((step, index) => !fits(step, index));
    const steps = this.#steps.splice(0, end < 0 ? this.#steps.length : end);
    let messages: StoredMessage[] = [];
    const show = () => {
      if (messages.length > 0) this.#options.show(messages);
      messages = [];
    };
    for (const step of steps) {
      if (step.type === "message") {
        messages.push(step.message);
        continue;
      }
      show();
      if (step.type === "gap") this.#options.showGap(step.isRestart);
      else step.callback();
    }
    show();
    if (this.#steps.length > 0) this.#repaint.request();
  }
}
