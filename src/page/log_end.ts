/**
 * An end of the messages that are shown.
 *
 * @module
 */

import { create, createButton, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";

/** The options of {@linkcode LogEnd}. */
export interface LogEndOptions {
  /** What is beyond it: `older` or `newer`. */
  readonly beyond: string;
  /** Called when the reader asks for another try. */
  readonly onRetry: () => void;
  /** Gets the focus where the button that had it is gone. */
  readonly focusNext: () => HTMLElement | null;
}

/** A line at one end of the messages that are shown: whether there is more, and what became of it. */
export class LogEnd {
  readonly #line: HTMLElement;
  readonly #options: LogEndOptions;
  #status: "idle" | "loading" | "failed" | "complete" = "idle";

  /**
   * @param line The element.
   * @param options What to say and to call.
   */
  constructor(line: HTMLElement, options: LogEndOptions) {
    this.#line = line;
    this.#options = options;
  }

  /** Whether a page may be loaded: none is on its way, none failed, and there are more. */
  get isDue(): boolean {
    return this.#status === "idle";
  }

  /** A page is on its way. */
  begin(): void {
    this.#status = "loading";
    this.#say(`Loading ${this.#options.beyond} messages…`);
  }

  /**
   * It is here.
   *
   * @param text What to say where nothing more is beyond it.
   */
  done(text?: string): void {
    this.#status = text === undefined ? "idle" : "complete";
    this.#say(text ?? "");
  }

  /**
   * The page could not be had.
   *
   * @param error Why.
   */
  fail(error: unknown): void {
    this.#status = "failed";
    const { beyond, onRetry } = this.#options;
    const why = error instanceof Error ? error.message : String(error);
    const retry = createButton("Try again", () => {
      this.#status = "idle";
      onRetry();
    });
    const name = `${beyond[0].toUpperCase()}${beyond.slice(1)}`;
    this.#line.replaceChildren(create("span", { text: `${name} messages: ${why} ` }), retry);
  }

  #say(text: string): void {
    withoutFocusLoss(this.#line, () => setText(this.#line, text), this.#options.focusNext);
  }
}
