/**
 * What can be done with a message: the tools beside it.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { find } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";

/** Milliseconds for which a finger rests on a message before its tools show. */
const HOLD_MS = 450;
/** CSS pixels by which it may move meanwhile. */
const HOLD_PX = 10;

/** The options of {@linkcode MessageTools}. */
export interface MessageToolsOptions {
  /** Gives a message that is shown. */
  readonly message: (cursor: string) => StoredMessage | undefined;
  /** Tells whether the reader may edit and delete a message. */
  readonly mayChange: (message: StoredMessage) => boolean;
  /** Tells whether the reader may write here at all. */
  readonly mayWrite: () => boolean;
  /** Reacts to a message. */
  readonly react: (message: StoredMessage, emoji: string) => void;
  /** Begins an answer to a message. */
  readonly reply: (message: StoredMessage) => void;
  /** Begins to edit a message. */
  readonly edit: (message: StoredMessage) => void;
  /** Copies a link to a message. */
  readonly link: (message: StoredMessage) => void;
  /** Asks whether to delete a message. */
  readonly remove: (message: StoredMessage) => void;
  /** Tells whether the reader may mute or ban who wrote a message. */
  readonly mayModerate: (message: StoredMessage) => boolean;
  /** Asks what to do with who wrote a message. */
  readonly moderate: (message: StoredMessage) => void;
}

/**
 * One toolbar, which goes to the message under the mouse, under a resting finger, or with the focus.
 * Among the messages the arrow keys move the focus; Tab leads on to the tools.
 */
export class MessageTools {
  readonly #scroller: HTMLElement;
  readonly #options: MessageToolsOptions;
  readonly #bar = find("tools", HTMLElement);
  readonly #more = find("tools-emoji", HTMLElement);
  readonly #react = find("tool-react", HTMLButtonElement);
  readonly #other = find("tools-other", HTMLInputElement);
  readonly #buttons = {
    reply: find("tool-reply", HTMLButtonElement),
    edit: find("tool-edit", HTMLButtonElement),
    remove: find("tool-delete", HTMLButtonElement),
    link: find("tool-link", HTMLButtonElement),
    moderate: find("tool-person", HTMLButtonElement),
  };
  #item: HTMLElement | undefined;
  #isHiding = false;
  /** The message that Tab leads to. */
  #stop: HTMLElement | undefined;

  /**
   * @param scroller The element that holds the messages.
   * @param options What can be done.
   */
  constructor(scroller: HTMLElement, options: MessageToolsOptions) {
    this.#scroller = scroller;
    this.#options = options;
    for (const name of ["reply", "edit", "remove", "link", "moderate"] as const) {
      this.#buttons[name].addEventListener("click", () => this.#act(options[name]));
    }
    this.#react.addEventListener("click", () => this.#open(this.#more.hidden === true));
    for (const button of this.#more.querySelectorAll("button")) {
      button.addEventListener("click", () => this.#reactWith(button.textContent));
    }
    this.#other.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") return this.#escape(event);
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.#reactWith(this.#other.value.trim());
    });
    this.#listen();
  }

  /** Lets Tab lead to the newest message, unless the focus is on another one. */
  follow(newest: HTMLElement | undefined): void {
    if (this.#stop?.isConnected && this.#scroller.contains(document.activeElement)) return;
    this.#stopAt(newest);
  }

  /**
   * Moves the focus to a message.
   *
   * @param item Its element.
   */
  focus(item: HTMLElement): void {
    this.#stopAt(item);
    item.focus({ preventScroll: true });
  }

  /** Takes the tools away. */
  hide(): void {
    const item = this.#item;
    if (!item) return;
    this.#item = undefined;
    item.classList.remove("held");
    // Before the tools go: a browser tells of a focus that was lost in the middle of that.
    if (this.#bar.contains(document.activeElement)) {
      this.#isHiding = true;
      item.focus({ preventScroll: true });
      this.#isHiding = false;
    }
    this.#open(false);
    this.#bar.hidden = true;
    this.#scroller.append(this.#bar);
  }

  /**
   * Takes the tools away from a message, where they are there.
   *
   * @param cursor Its cursor.
   */
  hideFrom(cursor: string): void {
    if (this.#item?.dataset.cursor === cursor) this.hide();
  }

  #listen(): void {
    const scroller = this.#scroller;
    scroller.addEventListener("pointerover", ({ target, pointerType }) => {
      if (pointerType !== "mouse" || this.#isBusy) return;
      const item = itemOf(target);
      if (item) this.#show(item);
    });
    scroller.addEventListener("pointerleave", () => {
      if (!this.#isBusy) this.hide();
    });
    scroller.addEventListener("focusin", ({ target }) => {
      const item = itemOf(target);
      if (!item) return;
      this.#stopAt(item);
      if (this.#isHiding) return;
      // Not for a touch, which focuses what it taps.
      if (item.matches(":focus-visible") || target !== item) this.#show(item);
    });
    scroller.addEventListener("focusout", ({ relatedTarget }) => {
      const isOutside = !(relatedTarget instanceof Node) || !scroller.contains(relatedTarget);
      if (isOutside && !this.#item?.matches(":hover, .held")) this.hide();
    });
    scroller.addEventListener("keydown", (event) => this.#pressed(event));
    this.#listenToFingers();
  }

  #listenToFingers(): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let [startX, startY] = [0, 0];
    const scroller = this.#scroller;
    const stop = () => clearTimeout(timer);
    scroller.addEventListener("pointerdown", (event) => {
      const { target, pointerType, clientX, clientY } = event;
      stop();
      if (pointerType === "mouse" || this.#bar.contains(target as Node)) return;
      if (this.#item && !this.#item.contains(target as Node)) this.hide();
      const item = itemOf(target);
      if (!item || (target as Element).closest("a, button")) return;
      [startX, startY] = [clientX, clientY];
      timer = setTimeout(() => {
        this.#show(item);
        item.classList.add("held");
        getSelection()?.removeAllRanges();
      }, HOLD_MS);
    });
    scroller.addEventListener("pointermove", ({ clientX, clientY }) => {
      if (Math.hypot(clientX - startX, clientY - startY) > HOLD_PX) stop();
    });
    for (const type of ["pointerup", "pointercancel"]) scroller.addEventListener(type, stop);
    // The menu of the browser would cover the tools.
    scroller.addEventListener("contextmenu", (event) => {
      if (this.#item?.classList.contains("held")) event.preventDefault();
    });
  }

  #pressed(event: KeyboardEvent): void {
    const { key, target } = event;
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (key === "Escape" && this.#item) return this.#escape(event);
    if (this.#bar.contains(target as Node) && (key === "ArrowLeft" || key === "ArrowRight")) {
      return this.#moveInBar(event, key === "ArrowRight" ? 1 : -1);
    }
    const isOnMessage = target instanceof HTMLElement && target.matches(".message[data-cursor]");
    if (!isOnMessage || (key !== "ArrowUp" && key !== "ArrowDown")) return;
    const items = [...this.#scroller.querySelectorAll<HTMLElement>(".message[data-cursor]")];
    const next = items[items.indexOf(target) + (key === "ArrowDown" ? 1 : -1)];
    event.preventDefault();
    if (!next) return;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  #moveInBar(event: KeyboardEvent, step: number): void {
    const parts = [...this.#bar.querySelectorAll<HTMLElement>("button")].filter((button) =>
      button.checkVisibility()
    );
    const at = parts.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    event.preventDefault();
    parts[(at + step + parts.length) % parts.length].focus();
  }

  #escape(event: KeyboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    if (!this.#more.hidden) {
      this.#open(false);
      return this.#react.focus();
    }
    const item = this.#item;
    this.hide();
    item?.focus({ preventScroll: true });
  }

  /** Whether the reader is at work with the tools where they are. */
  get #isBusy(): boolean {
    return !this.#more.hidden || this.#bar.matches(":focus-within") ||
      this.#item?.classList.contains("held") === true;
  }

  #show(item: HTMLElement): void {
    const message = this.#options.message(item.dataset.cursor ?? "");
    if (item === this.#item) return;
    if (!message || message.deleted || !this.#options.mayWrite()) return this.hide();
    this.#open(false);
    this.#item?.classList.remove("held");
    this.#item = item;
    const mayChange = this.#options.mayChange(message);
    this.#buttons.edit.hidden = !mayChange;
    this.#buttons.remove.hidden = !mayChange;
    this.#buttons.moderate.hidden = !this.#options.mayModerate(message);
    this.#bar.hidden = false;
    this.#bar.ariaLabel = `Message of ${message.name ?? message.user}`;
    item.append(this.#bar);
    const { top } = item.getBoundingClientRect();
    this.#bar.classList.toggle("below", top < this.#scroller.getBoundingClientRect().top + 56);
  }

  #open(isOpen: boolean): void {
    this.#react.setAttribute("aria-expanded", String(isOpen));
    const change = () => this.#more.hidden = !isOpen;
    withoutFocusLoss(this.#more, change, () => this.#item ?? null);
    if (isOpen) this.#more.querySelector("button")?.focus();
    this.#other.value = "";
  }

  #reactWith(emoji: string): void {
    if (emoji !== "") this.#act((message) => this.#options.react(message, emoji));
  }

  #act(act: (message: StoredMessage) => void): void {
    const item = this.#item;
    const message = this.#options.message(item?.dataset.cursor ?? "");
    this.hide();
    if (message) act(message);
  }

  #stopAt(item: HTMLElement | undefined): void {
    if (item === this.#stop) return;
    this.#stop?.setAttribute("tabindex", "-1");
    this.#stop = item;
    item?.setAttribute("tabindex", "0");
  }
}

function itemOf(target: EventTarget | null): HTMLElement | undefined {
  if (!(target instanceof Element)) return undefined;
  return target.closest<HTMLElement>("#days .message[data-cursor]") ?? undefined;
}
