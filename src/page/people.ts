/**
 * The users in the room, and those who are typing.
 *
 * @module
 */

import { createAvatar, hueOf } from "./bubble.ts";
import { create, find, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import { FrameTask } from "./frame_task.ts";
import { peoplePhrase, typingPhrase } from "./phrases.ts";

/** Users who are shown by name; a room may hold thousands. */
const SHOWN = 200;

/** The users in a room, as the connection knows them. */
export interface Crowd {
  /** The reader's name. */
  readonly user: string;
  /** The users in the room, or some of them; another array after each change. */
  readonly users: readonly string[];
  /** How many users are in the room. */
  readonly userCount: number;
  /** The other users who are typing. */
  readonly typingUsers: readonly string[];
  /** Names to show beside those of users. */
  readonly names: ReadonlyMap<string, string>;
  /** Whether the connection is live, so that all this is so now. */
  readonly isLive: boolean;
}

/** The list of users, the button that opens it, and the line about typing. */
export class People {
  readonly #panel = find("people", HTMLElement);
  readonly #list = find("people-list", HTMLElement);
  readonly #heading = find("people-heading", HTMLElement);
  readonly #toggle = find("people-toggle", HTMLButtonElement);
  readonly #count = find("people-count", HTMLElement);
  readonly #typing = find("typing", HTMLElement);
  readonly #crowd: () => Crowd;
  readonly #repaint = new FrameTask(() => this.#show(this.#crowd()));
  /** The items of the list by name. */
  #items = new Map<string, HTMLLIElement>();
  #shown: readonly string[] | undefined;
  #shownCount = 0;
  #shownUser = "";

  /** @param crowd Reads the users as they are now. */
  constructor(crowd: () => Crowd) {
    this.#crowd = crowd;
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

  /** Shows the users as they are, in the next animation frame: a thousand may arrive in one. */
  update(): void {
    this.#repaint.request();
  }

  #show({ user, users, userCount, typingUsers, isLive }: Crowd): void {
    this.#typing.classList.toggle("on", typingUsers.length > 0);
    setText(find("typing-text", HTMLElement), typingPhrase(typingUsers));
    setText(this.#count, isLive ? String(userCount) : "–");
    setText(this.#heading, peoplePhrase(userCount, isLive));
    this.#toggle.ariaLabel = isLive ? `People here: ${userCount}` : "People who were here";
    this.#list.classList.toggle("stale", !isLive);
    const isSame = users === this.#shown && user === this.#shownUser &&
      userCount === this.#shownCount;
    if (isSame) return;
    if (user !== this.#shownUser) this.#items.clear();
    this.#shown = users;
    this.#shownCount = userCount;
    this.#shownUser = user;
    this.#list.replaceChildren(...this.#itemsOf(user, users, userCount));
  }

  /** The reader first, then the others as the server sorted them. Items that stay are kept. */
  #itemsOf(user: string, users: readonly string[], userCount: number): HTMLLIElement[] {
    const names = users.includes(user) ? [user] : [];
    for (const name of users) {
      if (names.length === SHOWN) break;
      if (name !== user) names.push(name);
    }
    const before = this.#items;
    this.#items = new Map(names.map((name) => {
      return [name, before.get(name) ?? createPerson(name, name === user)];
    }));
    const items = [...this.#items.values()];
    if (userCount > names.length) {
      items.push(create("li", { class: "more", text: `and ${userCount - names.length} more` }));
    }
    return items;
  }

  get #isOpen(): boolean {
    return this.#panel.classList.contains("open");
  }

  #open(isOpen: boolean): void {
    this.#toggle.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) {
      this.#panel.classList.add("open");
      this.#panel.focus();
      return;
    }
    withoutFocusLoss(this.#panel, () => this.#panel.classList.remove("open"), () => this.#toggle);
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
