/**
 * The field for writing a message.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { TEXT_MAX_BYTES_DEFAULT } from "../protocol/mod.ts";
import { find, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import { roomLeftPhrase } from "./phrases.ts";
import { quoted } from "./quotes.ts";

/** The `keyCode` of a key that an input method has taken for itself. */
const KEY_OF_INPUT_METHOD = 229;

/** The options of {@linkcode Composer}. */
export interface ComposerOptions {
  /** Keeps what is being written. */
  readonly save: (draft: string) => void;
  /** Sends a text that is neither empty nor too long, maybe as an answer to a message. */
  readonly send: (text: string, replyTo: string | undefined) => void;
  /** Edits a message. */
  readonly edit: (message: StoredMessage, text: string) => void;
  /** Gives the message that the reader wrote last, if there is one to edit. */
  readonly lastOwn: () => StoredMessage | undefined;
  /** Gives the reader's user name. */
  readonly user: () => string;
  /** Called after every change with whether something is being written. */
  readonly onTyping: (isTyping: boolean) => void;
}

/** What keeps the reader from writing for a while. */
export interface Stop {
  /** Why nothing can be written, as sentences. */
  readonly words: string;
  /** Whether the field is not shown at all. */
  readonly isHidden?: boolean;
  /** Called when the reader asks whether that is over, where asking makes sense. */
  readonly onAsk?: () => void;
}

/** What is being written, if not a message of its own. */
interface Task {
  readonly kind: "edit" | "reply";
  readonly message: StoredMessage;
  /** What was in the field before an edit. */
  readonly draft: string;
}

/** The field for writing, its button, and the count of bytes that are left. */
export class Composer {
  /** UTF-8 bytes that a message may have. */
  #limit = TEXT_MAX_BYTES_DEFAULT;
  readonly #options: ComposerOptions;
  readonly #text = find("composer-text", HTMLTextAreaElement);
  readonly #button = find("send", HTMLButtonElement);
  readonly #left = find("room-left", HTMLElement);
  readonly #hint = find("composer-hint", HTMLElement);
  readonly #off = find("composer-off", HTMLElement);
  readonly #ask = find("composer-ask", HTMLButtonElement);
  readonly #form = find("composer", HTMLFormElement);
  readonly #encoder = new TextEncoder();
  readonly #bar = find("composer-task", HTMLElement);
  readonly #what = find("composer-what", HTMLElement);
  #task: Task | undefined;

  /** @param options What to do with what is written. */
  constructor(options: ComposerOptions) {
    this.#options = options;
    this.#text.addEventListener("input", () => this.#changed());
    this.#text.addEventListener("blur", () => options.onTyping(false));
    find("composer-end", HTMLButtonElement).addEventListener("click", () => {
      this.#end();
      this.#text.focus();
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#task && !isComposing(event)) {
        event.preventDefault();
        return this.#end();
      }
      if (event.key === "ArrowUp" && this.#text.value === "" && !this.#task) {
        const message = options.lastOwn();
        if (message) {
          event.preventDefault();
          return this.edit(message);
        }
      }
      if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
      // A keyboard of glass has no Shift beside its Enter: there the button sends.
      const isTouch = matchMedia("(pointer: coarse)").matches;
      if (isTouch && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      // One press, one message: a key held down since the door would send a draft unasked.
      if (!event.repeat) this.#send();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
      this.#text.focus();
    });
    if (matchMedia("(pointer: coarse)").matches) this.#text.enterKeyHint = "enter";
    this.#show();
  }

  /** The text that is being written. */
  get draft(): string {
    return this.#task?.kind === "edit" ? this.#task.draft : this.#text.value;
  }
  set draft(draft: string) {
    this.#text.value = draft;
    this.#show();
  }

  /**
   * Edits a message in place of what is being written, which comes back afterwards.
   *
   * @param message The message.
   */
  edit(message: StoredMessage): void {
    this.#end();
    this.#begin({ kind: "edit", message, draft: this.#text.value });
    this.#text.value = message.text;
    this.#text.setSelectionRange(message.text.length, message.text.length);
    this.#show();
  }

  /**
   * Makes what is being written an answer to a message.
   *
   * @param message The message.
   */
  reply(message: StoredMessage): void {
    this.#end();
    this.#begin({ kind: "reply", message, draft: "" });
  }

  /** Ends an edit of a message, or an answer to it, that was deleted meanwhile. */
  drop(cursor: string): void {
    if (this.#task?.message.cursor === cursor) this.#end();
  }

  #begin(task: Task): void {
    this.#task = task;
    const { kind, message } = task;
    const name = message.name ?? message.user;
    const whose = message.user === this.#options.user() ? "your" : `${name}'s`;
    const what = kind === "edit" ? `Editing ${whose} message` : `Answering ${name}`;
    setText(this.#what, `${what}: ${quoted(message)}`);
    this.#bar.hidden = false;
    this.#text.focus();
  }

  #end(): void {
    const task = this.#task;
    if (!task) return;
    this.#task = undefined;
    setText(this.#what, "");
    withoutFocusLoss(this.#bar, () => this.#bar.hidden = true, () => this.#text);
    if (task.kind !== "edit") return;
    this.#text.value = task.draft;
    this.#show();
    this.#options.onTyping(false);
  }

  /** UTF-8 bytes that a message may have. */
  set limit(limit: number) {
    this.#limit = limit;
    this.#show();
  }

  /** The field itself, for the focus. */
  get field(): HTMLElement {
    return this.#text;
  }

  /**
   * Switches the field off for good, with what is in it.
   *
   * @param reason Why nothing can be written, as a sentence.
   * @param next Where the focus goes, if it was here.
   */
  disable(reason: string, next: () => HTMLElement | null): void {
    this.stop({ words: reason }, next);
    this.#text.placeholder = "";
  }

  /**
   * Switches the field off for a while; what is in it stays.
   *
   * @param stop Why.
   * @param next Where the focus goes, if it was here.
   */
  stop({ words, isHidden = false, onAsk }: Stop, next: () => HTMLElement | null): void {
    const change = () => {
      this.#text.disabled = this.#button.disabled = true;
      this.#form.hidden = isHidden;
    };
    withoutFocusLoss(this.#form, change, next);
    this.#hint.hidden = this.#left.hidden = true;
    this.#off.hidden = false;
    setText(this.#off, words);
    withoutFocusLoss(this.#ask, () => this.#ask.hidden = onAsk === undefined, next);
    this.#ask.onclick = () => onAsk?.();
  }

  /** Switches the field on again. */
  resume(): void {
    if (!this.#text.disabled) return;
    this.#text.disabled =
      this.#form.hidden =
      this.#hint.hidden =
      this.#left.hidden =
        false;
    this.#off.hidden = true;
    withoutFocusLoss(this.#ask, () => this.#ask.hidden = true, () => this.#text);
    this.#show();
  }

  #send(): void {
    const text = this.#written;
    if (this.#text.disabled || text === "" || this.#bytes() > this.#limit) return;
    const task = this.#task;
    if (task?.kind === "edit") {
      this.#end();
      if (text !== task.message.text) this.#options.edit(task.message, text);
      return;
    }
    this.#end();
    this.#text.value = "";
    this.#options.save("");
    this.#show();
    this.#options.send(text, task?.message.cursor);
  }

  #changed(): void {
    this.#show();
    // What is kept is the draft, not a message that is being edited.
    if (this.#task?.kind !== "edit") this.#options.save(this.#text.value);
    this.#options.onTyping(this.#text.value.trim() !== "");
  }

  #show(): void {
    const bytes = this.#bytes();
    const isTooLong = bytes > this.#limit;
    setText(this.#left, roomLeftPhrase(this.#written, this.#limit));
    this.#left.classList.toggle("over", isTooLong);
    this.#text.setAttribute("aria-invalid", String(isTooLong));
    this.#button.disabled = this.#text.disabled || bytes === 0 || isTooLong;
    this.#fit();
  }

  /** What is written, without blank lines before it and blanks after it; code keeps its indent. */
  get #written(): string {
    return this.#text.value.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
  }

  #bytes(): number {
    return this.#encoder.encode(this.#written).length;
  }

  /** Lets the field be as high as its text, up to what the style sheet allows. */
  #fit(): void {
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}

/**
 * Whether a key belongs to an input method, as the Enter that ends the choice of a character in
 * Japanese. Safari ends the composition before that key, so that only its code tells.
 */
function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === KEY_OF_INPUT_METHOD;
}
