/**
 * How the connection is, in words.
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
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Makes the button of the banner work. */
  constructor() {
    this.#reload.addEventListener("click", () => location.reload());
  }

  /** Shows a state. */
  show(state: ConnectionState): void {
    const { short, long } = statePhrase(state);
    clearInterval(this.#timer);
    this.#short.dataset.status = state.status;
    setText(this.#short, short);
    // What is tried for a moment after a failure is not worth a jump of the page.
    if (state.status !== "connecting") this.#banner.hidden = long === undefined;
    if (long !== undefined) setText(this.#long, long);
    this.#reload.hidden = state.status !== "closed";
    setText(this.#retry, "");
    if (state.status !== "waiting") return;
    const count = () => setText(this.#retry, retryPhrase(state.retryAt, Date.now()));
    count();
    this.#timer = setInterval(count, 500);
  }
}
