/**
 * Where a message is written.
 *
 * @module
 */

import { TEXT_MAX_BYTES_DEFAULT } from "../protocol/mod.ts";
import { find, setText } from "./elements.ts";
import { roomLeftPhrase } from "./phrases.ts";

/** What {@linkcode Composer} works with. */
export interface ComposerOptions {
  /** What was being written before a reload. */
  readonly draft: string;
  /** Remembers what is being written. */
  readonly save: (draft: string) => void;
  /** Takes a text that is neither empty nor too long. */
  readonly send: (text: string) => void;
  /** Hears after every change whether something is being written. */
  readonly onTyping: (isTyping: boolean) => void;
}

/** The field for writing, its button, and how much more fits. */
export class Composer {
  /** UTF-8 bytes that a message may have. */
  #limit = TEXT_MAX_BYTES_DEFAULT;
  readonly #options: ComposerOptions;
  readonly #text = find("composer-text", HTMLTextAreaElement);
  readonly #button = find("send", HTMLButtonElement);
  readonly #left = find("room-left", HTMLElement);
  readonly #encoder = new TextEncoder();

  /** @param options What to do with what is written. */
  constructor(options: ComposerOptions) {
    this.#options = options;
    this.#text.value = options.draft;
    this.#text.addEventListener("input", () => this.#changed());
    this.#text.addEventListener("blur", () => options.onTyping(false));
    this.#text.addEventListener("keydown", (event) => {
      // Enter that ends the choice of a character, as in Japanese, sends nothing.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    find("composer", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
      this.#text.focus();
    });
    this.#show();
  }

  /** UTF-8 bytes that a message may have. */
  set limit(limit: number) {
    this.#limit = limit;
    this.#show();
  }

  /** Puts the cursor where one writes. */
  focus(): void {
    this.#text.focus();
  }

  #send(): void {
    const text = this.#text.value.trim();
    if (text === "" || this.#bytes() > this.#limit) return;
    this.#text.value = "";
    this.#options.save("");
    this.#show();
    this.#options.send(text);
  }

  #changed(): void {
    this.#show();
    this.#options.save(this.#text.value);
    this.#options.onTyping(this.#text.value.trim() !== "");
  }

  #show(): void {
    const bytes = this.#bytes();
    const isTooLong = bytes > this.#limit;
    setText(this.#left, roomLeftPhrase(bytes, this.#limit));
    this.#left.classList.toggle("over", isTooLong);
    this.#text.setAttribute("aria-invalid", String(isTooLong));
    this.#button.disabled = bytes === 0 || isTooLong;
    this.#fit();
  }

  #bytes(): number {
    return this.#encoder.encode(this.#text.value.trim()).length;
  }

  /** Lets the field be as high as its text, up to what the style sheet allows. */
  #fit(): void {
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}
