/**
 * The people that can be mentioned.
 *
 * @module
 */

import { createAvatar } from "./bubble.ts";
import { create, find } from "./elements.ts";
import { createNames, type Names } from "./names.ts";

/** People that are offered at once. */
const SHOWN = 6;
/** What is being written of a mention: an `@` at the beginning of a word, and letters after it. */
const BEGUN = /(?:^|[\s(])@([^\s@]{0,64})$/u;

/** A list over the field for writing, from which a person is chosen after an `@`. */
export class MentionList {
  readonly #names: Names;
  readonly #field = find("composer-text", HTMLTextAreaElement);
  readonly #list = find("mention-list", HTMLElement);
  #users: readonly string[] = [];
  #at = 0;

  /** @param names The people. */
  constructor(names: Names) {
    this.#names = names;
    const field = this.#field;
    field.addEventListener("input", () => this.#look());
    for (const type of ["click", "blur"]) field.addEventListener(type, () => this.#hide());
    // Before the composer, whose keys these are otherwise.
    field.addEventListener("keydown", (event) => this.#pressed(event), { capture: true });
    // Not a click: the field would lose the focus before.
    this.#list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const option = event.target instanceof Element ? event.target.closest("li") : null;
      if (option) this.#choose([...this.#list.children].indexOf(option));
    });
  }

  get #begun(): string | undefined {
    const { value, selectionStart, selectionEnd } = this.#field;
    if (selectionStart !== selectionEnd) return undefined;
    return value.slice(Math.max(0, selectionStart - 80), selectionStart).match(BEGUN)?.[1];
  }

  #look(): void {
    const begun = this.#begun?.toLowerCase();
    if (begun === undefined) return this.#hide();
    const names = this.#names;
    const fits = (user: string) =>
      [user, names.of(user)].some((name) => name.toLowerCase().startsWith(begun));
    this.#users = names.others.filter(fits).slice(0, SHOWN);
    this.#at = 0;
    if (this.#users.length === 0) return this.#hide();
    this.#show();
  }

  #show(): void {
    const names = this.#names;
    this.#list.replaceChildren(...this.#users.map((user, index) => {
      const attributes = {
        role: "option",
        id: `mention-${index}`,
        "aria-selected": String(index === this.#at),
      };
      const name = names.of(user);
      const item = create("li", { attributes }, createAvatar(name));
      item.append(...createNames(user, name, "name"));
      item.className = names.hue(user);
      return item;
    }));
    this.#list.hidden = false;
    this.#field.setAttribute("aria-activedescendant", `mention-${this.#at}`);
    this.#field.setAttribute("aria-controls", "mention-list");
  }

  #hide(): void {
    this.#list.hidden = true;
    this.#field.removeAttribute("aria-activedescendant");
    this.#field.removeAttribute("aria-controls");
  }

  #pressed(event: KeyboardEvent): void {
    if (this.#list.hidden || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isChoice = (event.key === "Enter" || event.key === "Tab") && !event.shiftKey;
    if (step === undefined && !isChoice && event.key !== "Escape") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.key === "Escape") return this.#hide();
    if (isChoice) return this.#choose(this.#at);
    this.#at = (this.#at + step! + this.#users.length) % this.#users.length;
    this.#show();
  }

  #choose(index: number): void {
    const user = this.#users[index];
    const begun = this.#begun;
    this.#hide();
    if (user === undefined || begun === undefined) return;
    const { selectionStart } = this.#field;
    this.#field.setRangeText(`${user} `, selectionStart - begun.length, selectionStart, "end");
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
