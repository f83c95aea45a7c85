/**
 * The state of the connection.
 *
 * @module
 */

import type { ConnectionState } from "../client/mod.ts";
import { find, setText } from "./elements.ts";
import { retryPhrase, statePhrase } from "./phrases.ts";

/** The words under the room's name, and the banner that is there while anything is wrong. */
export class ConnectionLine {
  readonly #short = find("state", HTMLElement);
  readonly #banner = find("banner", HTMLElement);
  readonly #long = find("banner-text", HTMLElement);
  readonly #retry = find("banner-retry", HTMLElement);
  readonly #reload = find("reload", HTMLButtonElement);
  readonly #isLasting: () => boolean;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param onReload Loads the page anew, as the button of the banner asks.
   * @param isLasting Tells whether what is written outlasts the page.
   */
  constructor(onReload: () => void, isLasting: () => boolean) {
    this.#isLasting = isLasting;
    this.#reload.addEventListener("click", onReload);
  }

  /** Shows a state. */
  show(state: ConnectionState): void {
    const { short, long } = statePhrase(state, this.#isLasting());
    clearInterval(this.#timer);
    this.#short.dataset.status = state.status;
    setText(this.#short, short);
    // What is tried for a moment after a failure is not worth a jump of the page.
    if (state.status !== "connecting") this.#banner.hidden = long === undefined;
    if (long !== undefined) setText(this.#long, long);
    this.#reload.hidden = state.status !== "closed";
    setText(this.#retry, "");
    if (state.status !== "waiting") return;
    // By a clock that nobody sets.
    const retryAt = performance.now() + state.retryInMs;
    const count = () => setText(this.#retry, retryPhrase(retryAt, performance.now()));
    count();
    this.#timer = setInterval(count, 500);
  }

  /** Takes the button back: loading the page anew would end in the same. */
  hideReload(): void {
    this.#reload.hidden = true;
  }
}
