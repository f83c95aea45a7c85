/**
 * The messages that the reader has not seen.
 *
 * @module
 */

import { find, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import { newMessagesPhrase } from "./phrases.ts";

/** The options of {@linkcode Unseen}. */
export interface UnseenOptions {
  /** Called when the reader asks for the newest messages. */
  readonly onJump: () => void;
  /** Gets the focus where the button that had it is gone. */
  readonly focusNext: () => HTMLElement | null;
}

/** The button that leads to the newest messages, and the count on it. */
export class Unseen {
  readonly #options: UnseenOptions;
  readonly #jump = find("jump", HTMLButtonElement);
  readonly #text = find("jump-text", HTMLElement);
  #count = 0;
  #isFollowing = true;

  /** @param options What to do for the reader. */
  constructor(options: UnseenOptions) {
    this.#options = options;
    this.#jump.addEventListener("click", options.onJump);
    this.#show();
  }

  /** How many messages the reader has not seen. */
  set count(count: number) {
    if (count === this.#count) return;
    this.#count = count;
    this.#show();
  }

  /** Whether the newest messages are in view. */
  set isFollowing(isFollowing: boolean) {
    this.#isFollowing = isFollowing;
    this.#show();
  }

  #show(): void {
    const { focusNext } = this.#options;
    withoutFocusLoss(this.#jump, () => this.#jump.hidden = this.#isFollowing, focusNext);
    this.#jump.classList.toggle("unseen", this.#count > 0);
    setText(this.#text, newMessagesPhrase(this.#count));
  }
}
