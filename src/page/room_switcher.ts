/**
 * The dialog in which a room is chosen.
 *
 * @module
 */

import { decodeRoom } from "../protocol/mod.ts";
import { create, find, setText } from "./elements.ts";
import { unreadPhrase } from "./phrases.ts";
import type { ShelvedRoom } from "./room_shelf.ts";

/** The options of {@linkcode RoomSwitcher}. */
export interface RoomSwitcherOptions {
  /** The rooms that the reader has been in. */
  readonly rooms: () => readonly ShelvedRoom[];
  /** Opens a room. */
  readonly open: (room: string) => void;
}

/** What can be chosen: a room that is known, or one by the name that was written. */
interface Choice {
  readonly room: string;
  readonly note: string;
}

/** Finds a room by some letters of its name, or opens another one. */
export class RoomSwitcher {
  readonly #options: RoomSwitcherOptions;
  readonly #dialog = find("switcher", HTMLDialogElement);
  readonly #field = find("switcher-text", HTMLInputElement);
  readonly #list = find("switcher-list", HTMLElement);
  readonly #problem = find("switcher-problem", HTMLElement);
  #choices: readonly Choice[] = [];
  #at = 0;

  /** @param options The rooms. */
  constructor(options: RoomSwitcherOptions) {
    this.#options = options;
    this.#field.oninput = () => {
      this.#at = 0;
      this.#show();
    };
    this.#field.onkeydown = (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step === undefined || this.#choices.length === 0) return;
      event.preventDefault();
      this.#at = (this.#at + step + this.#choices.length) % this.#choices.length;
      this.#show();
    };
    find("switcher-form", HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      this.#choose(this.#at);
    };
    this.#list.onclick = ({ target }) => {
      const option = target instanceof Element ? target.closest("[role=option]") : null;
      if (option) this.#choose([...this.#list.children].indexOf(option));
    };
    this.#dialog.onclick = ({ target }) => {
      if (target === this.#dialog) this.#dialog.close();
    };
  }

  /** Opens the dialog, or closes it. */
  toggle(): void {
    if (this.#dialog.open) return this.#dialog.close();
    this.#field.value = "";
    this.#at = 0;
    this.#show();
    this.#dialog.showModal();
    this.#field.focus();
  }

  #show(): void {
    const written = this.#field.value.trim().replace(/^#/, "").replace(/\s+/g, "-");
    const wanted = written.toLowerCase();
    const rooms = this.#options.rooms().filter(({ room }) => room.toLowerCase().includes(wanted));
    const byNeed = rooms.toSorted((one, other) => {
      return other.mentions - one.mentions || other.unread - one.unread;
    });
    const known = byNeed.map(({ room, unread, mentions }) => {
      return { room, note: unread > 0 ? unreadPhrase(unread, mentions) : "" };
    });
    const decoded = decodeRoom(written);
    const isNew = decoded.ok && !known.some(({ room }) => room === decoded.room);
    this.#choices = isNew ? [...known, { room: decoded.room, note: "Join or open" }] : known;
    const isBad = written !== "" && !decoded.ok && known.length === 0;
    setText(this.#problem, isBad && !decoded.ok ? `${decoded.error.message}.` : "");
    this.#list.replaceChildren(...this.#choices.map(({ room, note }, index) => {
      const attributes = {
        role: "option",
        id: `switcher-${index}`,
        "aria-selected": String(index === this.#at),
      };
      return create(
        "li",
        { attributes },
        create("span", { class: "hash", text: "#", attributes: { "aria-hidden": "true" } }),
        create("bdi", { class: "room-label", text: room }),
        create("span", { class: "switcher-note", text: note }),
      );
    }));
    const selected = this.#list.children[this.#at];
    this.#field.setAttribute("aria-activedescendant", selected?.id ?? "");
    selected?.scrollIntoView({ block: "nearest" });
  }

  #choose(index: number): void {
    const choice = this.#choices[index];
    if (!choice) return;
    this.#dialog.close();
    this.#options.open(choice.room);
  }
}
