/**
 * The day of what is in view.
 *
 * @module
 */

import { find, setText } from "./elements.ts";

/** Milliseconds after the last step for which the day stays. */
const SHOWN_MS = 1_200;

/** The day over the messages, which is there while the reader scrolls past its heading. */
export class FloatingDay {
  readonly #label = find("day-now", HTMLElement);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Shows the day, for a moment.
   *
   * @param item The first message in view.
   * @param top The top of the view: CSS pixels from the top of the window.
   */
  scrolled(item: HTMLElement | undefined, top: number): void {
    const heading = item?.closest("section")?.querySelector(".day");
    const isAbove = heading !== null && heading !== undefined &&
      heading.getBoundingClientRect().bottom <= top;
    clearTimeout(this.#timer);
    if (isAbove) setText(this.#label, heading.textContent);
    this.#label.classList.toggle("on", isAbove);
    this.#timer = setTimeout(() => this.#label.classList.remove("on"), SHOWN_MS);
  }
}
