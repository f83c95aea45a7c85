/**
 * Who is here and who is typing.
 *
 * @module
 */

import { createAvatar, hueOf } from "./bubble.ts";
import { create, find, setText } from "./elements.ts";
import { typingPhrase } from "./phrases.ts";

/** People who are shown by name; a room may hold thousands. */
const SHOWN = 200;

/** What there is to know of the people in a room. */
export interface Crowd {
  /** The reader's name. */
  readonly user: string;
  /** Who is here. */
  readonly users: readonly string[];
  /** Who of the others is typing. */
  readonly typingUsers: readonly string[];
}

/** The list of people, the button that opens it, and the line that says who is typing. */
export class People {
  readonly #panel = find("people", HTMLElement);
  readonly #list = find("people-list", HTMLElement);
  readonly #heading = find("people-heading", HTMLElement);
  readonly #toggle = find("people-toggle", HTMLButtonElement);
  readonly #count = find("people-count", HTMLElement);
  readonly #typing = find("typing", HTMLElement);
  #shown = "";

  /** Where there is little room, the list opens and closes. */
  constructor() {
    this.#toggle.addEventListener("click", () => this.#open(!this.#isOpen));
    find("people-close", HTMLButtonElement).addEventListener("click", () => this.#open(false));
    document.addEventListener("pointerdown", ({ target }) => {
      const isOutside = target instanceof Node && !this.#panel.contains(target) &&
        !this.#toggle.contains(target);
      if (isOutside && this.#isOpen) this.#open(false);
    });
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#open(false);
    });
  }

  /** Shows them as they are now. */
  show({ user, users, typingUsers }: Crowd): void {
    this.#typing.classList.toggle("on", typingUsers.length > 0);
    setText(find("typing-text", HTMLElement), typingPhrase(typingUsers));
    const key = JSON.stringify([user, users]);
    if (key === this.#shown) return;
    this.#shown = key;
    setText(this.#count, String(users.length));
    this.#toggle.setAttribute("aria-label", `People here: ${users.length}`);
    setText(this.#heading, users.length === 1 ? "1 person here" : `${users.length} people here`);
    // The reader first, then the others as the server sorted them.
    const sorted = users.includes(user)
      ? [user, ...users.filter((other) => other !== user)]
      : users;
    const items = sorted.slice(0, SHOWN).map((name) => createPerson(name, name === user));
    if (users.length > SHOWN) {
      items.push(create("li", { class: "more", text: `and ${users.length - SHOWN} more` }));
    }
    this.#list.replaceChildren(...items);
  }

  get #isOpen(): boolean {
    return this.#panel.classList.contains("open");
  }

  #open(isOpen: boolean): void {
    this.#panel.classList.toggle("open", isOpen);
    this.#toggle.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.#panel.focus();
    else this.#toggle.focus();
  }
}

function createPerson(name: string, isReader: boolean): HTMLLIElement {
  const children: HTMLElement[] = [
    createAvatar(name),
    create("bdi", { class: "name", text: name }),
  ];
  if (isReader) children.push(create("span", { class: "you", text: "you" }));
  return create("li", { class: hueOf(name) }, ...children);
}
