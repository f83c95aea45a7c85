/**
 * The line where the new messages begin.
 *
 * @module
 */

import { create, find, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import { regroup } from "./message_groups.ts";
import { newMessagesPhrase } from "./phrases.ts";

/** The options of {@linkcode NewLine}. */
export interface NewLineOptions {
  /** The element that scrolls. */
  readonly scroller: HTMLElement;
  /** Called when the reader asks for the first new message. */
  readonly onJump: (line: HTMLElement) => void;
}

/** The line before the first new message, and the button that leads there while it is out of view. */
export class NewLine {
  readonly #options: NewLineOptions;
  readonly #line = create("li", { class: "new" }, create("span", { text: "New" }));
  readonly #button = find("to-new", HTMLButtonElement);
  #cursor: string | undefined;
  #isSeen = false;

  /** @param options The messages. */
  constructor(options: NewLineOptions) {
    this.#options = options;
    this.#button.addEventListener("click", () => options.onJump(this.#line));
  }

  /** Cursor of the message behind the line, where there is one. */
  get cursor(): string | undefined {
    return this.#line.isConnected ? this.#cursor : undefined;
  }

  /** Whether the line is above what is in view. */
  get isAbove(): boolean {
    const { scroller } = this.#options;
    return this.#line.isConnected &&
      this.#line.getBoundingClientRect().top < scroller.getBoundingClientRect().top;
  }

  /** Whether the line is below what is in view. */
  get isBelow(): boolean {
    const { scroller } = this.#options;
    return this.#line.isConnected &&
      this.#line.getBoundingClientRect().top > scroller.getBoundingClientRect().bottom;
  }

  /** CSS pixels from the line to the end. */
  get toEnd(): number {
    const { scroller } = this.#options;
    const { top } = scroller.getBoundingClientRect();
    const line = this.#line.getBoundingClientRect().top - top + scroller.scrollTop;
    return scroller.scrollHeight - line;
  }

  /** The line itself. */
  get element(): HTMLElement {
    return this.#line;
  }

  /**
   * Draws the line.
   *
   * @param item The first new message.
   * @param count How many are new.
   */
  show(item: HTMLElement, count: number): void {
    this.remove();
    this.#cursor = item.dataset.cursor;
    this.#isSeen = false;
    item.before(this.#line);
    regroup(item);
    setText(find("to-new-text", HTMLElement), newMessagesPhrase(count));
    this.update();
  }

  /** Takes the line away. */
  remove(): void {
    const next = this.#line.nextElementSibling;
    this.#line.remove();
    if (next instanceof HTMLElement) regroup(next);
    this.update();
  }

  /** Shows the button while the line was not seen and is above what is in view. */
  update(): void {
    const { scroller } = this.#options;
    const isThere = this.#line.isConnected && !this.#isSeen;
    const { top, bottom } = scroller.getBoundingClientRect();
    const line = this.#line.getBoundingClientRect();
    const isAbove = isThere && line.bottom <= top;
    const isInView = isThere && !isAbove && line.top < bottom;
    if (isInView && document.visibilityState === "visible") this.#isSeen = true;
    withoutFocusLoss(this.#button, () => this.#button.hidden = !isAbove, () => scroller);
  }
}
