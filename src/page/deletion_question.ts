/**
 * The question before a message is deleted.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { find, setText } from "./elements.ts";
import { quoted } from "./quotes.ts";

/** Asks whether to delete a message. */
export class DeletionQuestion {
  readonly #dialog = find("ask-delete", HTMLDialogElement);
  readonly #onYes: (message: StoredMessage) => void;
  #message: StoredMessage | undefined;

  /** @param onYes Called with the message that is to be deleted. */
  constructor(onYes: (message: StoredMessage) => void) {
    this.#onYes = onYes;
    // What is deleted must not stay behind, not even unseen.
    this.#dialog.onclose = () => {
      this.#message = undefined;
      setText(find("ask-delete-text", HTMLElement), "");
    };
    find("ask-delete-no", HTMLButtonElement).onclick = () => this.#dialog.close();
    find("ask-delete-yes", HTMLButtonElement).onclick = () => {
      const message = this.#message;
      this.#dialog.close();
      if (message) this.#onYes(message);
    };
  }

  /**
   * Asks.
   *
   * @param message The message.
   * @param isOwn Whether the reader wrote it.
   */
  ask(message: StoredMessage, isOwn: boolean): void {
    this.#message = message;
    const what = isOwn ? "this message" : `the message of ${message.name ?? message.user}`;
    setText(find("ask-delete-heading", HTMLElement), `Delete ${what}?`);
    setText(find("ask-delete-text", HTMLElement), quoted(message));
    this.#dialog.showModal();
    find("ask-delete-no", HTMLButtonElement).focus();
  }
}
