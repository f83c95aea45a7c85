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
  /** The room's name, for the title of the page. */
  readonly room: string;
  /** Called when the reader asks for the newest messages. */
  readonly onJump: () => void;
  /** Gets the focus where the button that had it is gone. */
  readonly focusNext: () => HTMLElement | null;
}

/** The button that leads to the newest messages, and the counts on it and in the title. */
export class Unseen {
  readonly #options: UnseenOptions;
  readonly #jump = find("jump", HTMLButtonElement);
  readonly #text = find("jump-text", HTMLElement);
  #count = 0;
  #countInTitle = 0;
  #isFollowing = true;

  /** @param options What to do for the reader. */
  constructor(options: UnseenOptions) {
    this.#options = options;
    this.#jump.addEventListener("click", options.onJump);
    document.addEventListener("visibilitychange", () => this.#show());
    this.#show();
  }

  /** Counts messages that came. */
  add(count: number): void {
    this.#count += count;
    this.#countInTitle += count;
    this.#show();
  }

  /** Whether the newest messages are in view. */
  set isFollowing(isFollowing: boolean) {
    this.#isFollowing = isFollowing;
    this.#show();
  }

  #show(): void {
    const { room, focusNext } = this.#options;
    if (this.#isFollowing) this.#count = 0;
    if (document.visibilityState === "visible") this.#countInTitle = 0;
    withoutFocusLoss(this.#jump, () => this.#jump.hidden = this.#isFollowing, focusNext);
    this.#jump.classList.toggle("unseen", this.#count > 0);
    setText(this.#text, newMessagesPhrase(this.#count));
    const count = this.#countInTitle > 0 ? `(${this.#countInTitle}) ` : "";
    const title = `${count}#${room} · Hubbub`;
    if (document.title !== title) document.title = title;
  }
}
