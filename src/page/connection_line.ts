/**
 * The state of the connection.
 *
 * @module
 */

import type { ChatError, ConnectionState } from "../client/mod.ts";
import { find, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import { retryPhrase, statePhrase } from "./phrases.ts";
import { putOutPhrase } from "./sanction_phrases.ts";

/** The words under the room's name, and the banner that is there while anything is wrong. */
export class ConnectionLine {
  readonly #short = find("state", HTMLElement);
  readonly #banner = find("banner", HTMLElement);
  readonly #long = find("banner-text", HTMLElement);
  readonly #retry = find("banner-retry", HTMLElement);
  readonly #reload = find("reload", HTMLButtonElement);
  readonly #rooms = find("banner-rooms", HTMLElement);
  readonly #now = find("try-now", HTMLButtonElement);
  readonly #isLasting: () => boolean;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param onReload Loads the page anew, as a button of the banner asks.
   * @param onTryNow Tries to connect at once, as another one asks.
   * @param isLasting Tells whether what is written outlasts the page.
   */
  constructor(onReload: () => void, onTryNow: () => void, isLasting: () => boolean) {
    this.#isLasting = isLasting;
    this.#now.addEventListener("click", onTryNow);
    this.#reload.addEventListener("click", onReload);
  }

  /** Counts no longer: the room is not the open one any more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Shows a state.
   *
   * @param state The state.
   * @param error Why the hub wants the reader no longer in the room.
   */
  show(state: ConnectionState, error?: ChatError): void {
    const isClosed = state.status === "closed";
    const putOut = isClosed && error ? putOutPhrase(error) : undefined;
    const { short, long } = putOut ?? statePhrase(state, this.#isLasting());
    setText(this.#reload, putOut?.again ?? "Reload");
    this.#rooms.hidden = putOut === undefined;
    this.#banner.classList.toggle("final", isClosed);
    clearInterval(this.#timer);
    this.#short.dataset.status = state.status;
    setText(this.#short, short);
    // What is tried for a moment after a failure is not worth a jump of the page.
    if (state.status !== "connecting") this.#banner.hidden = long === undefined;
    if (long !== undefined) setText(this.#long, long);
    this.#reload.hidden = !isClosed;
    // Kept while it is tried, so that the focus stays where it is.
    if (state.status !== "connecting") {
      const isWaiting = state.status === "waiting";
      const next = () => document.getElementById("composer-text");
      withoutFocusLoss(this.#now, () => this.#now.hidden = !isWaiting, next);
    }
    setText(this.#retry, "");
    if (state.status !== "waiting") return;
    // By a clock that nobody sets.
    const retryAt = performance.now() + state.retryInMs;
    const count = () => setText(this.#retry, retryPhrase(retryAt, performance.now()));
    count();
    this.#timer = setInterval(count, 500);
  }
}
