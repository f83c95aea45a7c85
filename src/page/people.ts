/**
 * The users in the room, and those who are typing.
 *
 * @module
 */

import type { RoomSnapshot } from "../client/mod.ts";
import { createAvatar } from "./bubble.ts";
import { create, createButton, find, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import { FrameTask } from "./frame_task.ts";
import { createNames, type Names } from "./names.ts";
import { peoplePhrase, typingPhrase } from "./phrases.ts";
import type { RoomFeed } from "./room_feed.ts";

/** Users who are shown by name; a room may hold thousands. */
const SHOWN = 200;

/** The options of {@linkcode People}. */
export interface PeopleOptions {
  /** The room. */
  readonly feed: RoomFeed;
  /** The names and colours of people. */
  readonly names: Names;
  /** Asks what to do with a person. */
  readonly onPerson: (user: string) => void;
  /** Ends it with the room. */
  readonly signal: AbortSignal;
  /** Shows who is muted or banned. */
  readonly onSanctions: () => void;
}

/** The list of users, the button that opens it, and the line about typing. */
export class People {
  readonly #panel = find("people", HTMLElement);
  readonly #list = find("people-list", HTMLElement);
  readonly #heading = find("people-heading", HTMLElement);
  readonly #toggle = find("people-toggle", HTMLButtonElement);
  readonly #count = find("people-count", HTMLElement);
  readonly #typing = find("typing", HTMLElement);
  readonly #options: PeopleOptions;
  readonly #repaint = new FrameTask(() => this.#show());
  /** The items of the list by name. */
  #items = new Map<string, HTMLLIElement>();
  #shown: RoomSnapshot | undefined;
  #shownUser = "";

  /** @param options The users, and what can be done with them. */
  constructor(options: PeopleOptions) {
    this.#options = options;
    for (const type of ["users", "standing", "state"]) {
      options.feed.addEventListener(type, () => this.update());
    }
    find("sanctions-open", HTMLButtonElement).addEventListener("click", options.onSanctions);
    this.#toggle.addEventListener("click", () => this.#open(!this.#isOpen));
    find("people-close", HTMLButtonElement).addEventListener("click", () => this.#open(false));
    document.addEventListener("pointerdown", ({ target }) => {
      const isOutside = target instanceof Element && !this.#panel.contains(target) &&
        !this.#toggle.contains(target) && !target.closest("dialog");
      if (isOutside && this.#isOpen) this.#open(false);
    }, { signal: options.signal });
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#open(false);
    });
  }

  /** Shows the users as they are, in the next animation frame: a thousand may arrive in one. */
  update(): void {
    this.#repaint.request();
  }

  #show(): void {
    if (this.#options.signal.aborted) return;
    const { feed: { snapshot, state, user }, names: { of: nameOf } } = this.#options;
    const { users, userCount, typing, names, role } = snapshot;
    const isLive = state.status === "live";
    this.#typing.classList.toggle("on", typing.length > 0);
    setText(find("typing-text", HTMLElement), typingPhrase(typing.map(nameOf)));
    setText(this.#count, isLive ? String(userCount) : "–");
    setText(this.#heading, peoplePhrase(userCount, isLive));
    this.#toggle.ariaLabel = isLive ? `People here: ${userCount}` : "People who were here";
    this.#list.classList.toggle("stale", !isLive);
    find("sanctions-open", HTMLElement).hidden = role !== "moderator";
    const before = this.#shown;
    const isSameReader = user === this.#shownUser && role === before?.role;
    const isSame = isSameReader && users === before?.users && userCount === before.userCount &&
      names === before.names;
    if (isSame) return;
    if (!isSameReader) this.#items.clear();
    this.#shown = snapshot;
    this.#shownUser = user;
    const change = () => this.#list.replaceChildren(...this.#itemsOf(user, snapshot));
    withoutFocusLoss(this.#list, change, () => this.#panel);
  }

  /** The reader first, then the others as the server sorted them. Items that stay are kept. */
  #itemsOf(user: string, { users, userCount, role }: RoomSnapshot): HTMLLIElement[] {
    const { names, onPerson } = this.#options;
    const shown = users.includes(user) ? [user] : [];
    for (const other of users) {
      if (shown.length === SHOWN) break;
      if (other !== user) shown.push(other);
    }
    const before = this.#items;
    this.#items = new Map(shown.map((other) => {
      const name = names.of(other);
      const known = before.get(other);
      if (known?.dataset.name === name) return [other, known];
      const isReader = other === user;
      const act = role === "moderator" && !isReader ? () => onPerson(other) : undefined;
      const item = createPerson(other, name, isReader, act);
      item.className = names.hue(other);
      return [other, item];
    }));
    const items = [...this.#items.values()];
    if (userCount > shown.length) {
      items.push(create("li", { class: "more", text: `and ${userCount - shown.length} more` }));
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

function createPerson(
  user: string,
  name: string,
  isReader: boolean,
  act: (() => void) | undefined,
): HTMLLIElement {
  const children: HTMLElement[] = [createAvatar(name), ...createNames(user, name, "name")];
  if (isReader) children.push(create("span", { class: "you", text: "you" }));
  if (act) {
    const button = createButton("⋯", act);
    button.className = "quiet person-act";
    button.ariaLabel = `Moderate ${name}`;
    children.push(button);
  }
  const item = create("li", {}, ...children);
  item.dataset.name = name;
  return item;
}
