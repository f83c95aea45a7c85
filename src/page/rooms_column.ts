/**
 * The column of rooms.
 *
 * @module
 */

import { create, createButton, find, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import { lastLinePhrase, unreadPhrase } from "./phrases.ts";
import { type ShelvedRoom, UNREAD_MAX } from "./room_shelf.ts";

/** The options of {@linkcode RoomsColumn}. */
export interface RoomsColumnOptions {
  /** Gives the address of a room's page. */
  readonly pageOf: (room: string) => string;
  /** Opens a room. */
  readonly open: (room: string) => void;
  /** Asks which room to open. */
  readonly choose: () => void;
  /** Mutes a room, or no longer. */
  readonly mute: (room: string, isMuted: boolean) => void;
  /** Leaves a room. */
  readonly leave: (room: string) => void;
}

interface Row {
  readonly item: HTMLLIElement;
  readonly link: HTMLAnchorElement;
  readonly badge: HTMLElement;
  readonly spoken: HTMLElement;
  readonly last: HTMLElement;
}

/** The rooms that the reader has been in: beside the open one, or behind the logo where it is narrow. */
export class RoomsColumn {
  readonly #options: RoomsColumnOptions;
  readonly #panel = find("rooms", HTMLElement);
  readonly #list = find("rooms-list", HTMLElement);
  readonly #menu = find("room-menu", HTMLElement);
  readonly #mute = find("room-mute", HTMLButtonElement);
  readonly #rows = new Map<string, Row>();
  #rooms: readonly ShelvedRoom[] = [];
  #current = "";
  #menuRoom = "";

  /** @param options What to do with rooms. */
  constructor(options: RoomsColumnOptions) {
    this.#options = options;
    find("rooms-join", HTMLButtonElement).onclick = options.choose;
    find("rooms-close", HTMLButtonElement).onclick = () => this.toggle(false);
    this.#mute.onclick = () => {
      const room = this.#rooms.find(({ room }) => room === this.#menuRoom);
      this.#menu.hidePopover();
      if (room) options.mute(room.room, !room.isMuted);
    };
    find("room-leave", HTMLButtonElement).onclick = () => {
      this.#menu.hidePopover();
      options.leave(this.#menuRoom);
    };
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#panel.classList.contains("open")) this.toggle(false);
    });
    document.addEventListener("pointerdown", ({ target }) => {
      const isOutside = target instanceof Element &&
        !target.closest("#rooms, #rooms-toggle, #room-menu, dialog");
      if (isOutside && this.#panel.classList.contains("open")) this.toggle(false);
    });
  }

  /** Shows which room is open; the button before its name opens the column. */
  set current(room: string) {
    this.#current = room;
    this.#panel.hidden = false;
    document.body.classList.add("in-room");
    this.#panel.classList.remove("open");
    this.#toggle.onclick = () => this.toggle(!this.#panel.classList.contains("open"));
    this.show(this.#rooms);
  }

  get #toggle(): HTMLButtonElement {
    return find("rooms-toggle", HTMLButtonElement);
  }

  /** Opens or closes the column where it is narrow. */
  toggle(isOpen: boolean): void {
    this.#toggle.setAttribute("aria-expanded", String(isOpen));
    const change = () => void this.#panel.classList.toggle("open", isOpen);
    if (!isOpen) return withoutFocusLoss(this.#panel, change, () => this.#toggle);
    change();
    (this.#rows.get(this.#current)?.link ?? this.#panel).focus();
  }

  /**
   * Shows rooms.
   *
   * @param rooms The rooms, in their order.
   */
  show(rooms: readonly ShelvedRoom[]): void {
    this.#rooms = rooms;
    const names = new Set(rooms.map(({ room }) => room));
    for (const [room, { item }] of this.#rows) {
      if (names.has(room)) continue;
      this.#rows.delete(room);
      withoutFocusLoss(item, () => item.remove(), () => find("rooms-join", HTMLElement));
    }
    let before: Element | null = null;
    for (const room of rooms) {
      let row = this.#rows.get(room.room);
      if (!row) this.#rows.set(room.room, row = this.#create(room.room));
      const next: Element | null = before
        ? before.nextElementSibling
        : this.#list.firstElementChild;
      if (next !== row.item) this.#list.insertBefore(row.item, next);
      before = row.item;
      this.#fill(row, room);
    }
    const others = rooms.filter(({ room, isMuted, mentions }) => {
      return room !== this.#current && (!isMuted || mentions > 0);
    });
    const count = others.reduce((sum, { unread }) => sum + unread, 0);
    const dot = find("rooms-unread", HTMLElement);
    dot.hidden = count === 0;
    this.#toggle.ariaLabel = count === 0 ? "Rooms" : `Rooms: ${unreadPhrase(count, 0)} in others`;
  }

  #create(room: string): Row {
    const badge = create("span", { class: "badge", attributes: { "aria-hidden": "true" } });
    const spoken = create("span", { class: "unseen-label" });
    const last = create("span", { class: "room-last", attributes: { dir: "auto" } });
    const link = create(
      "a",
      { class: "room-link", attributes: { href: this.#options.pageOf(room) } },
      create("span", { class: "hash", text: "#", attributes: { "aria-hidden": "true" } }),
      create("bdi", { class: "room-label", text: room }),
      spoken,
      badge,
      last,
    );
    link.addEventListener("click", (event) => {
      // In another tab, as the reader asks.
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#options.open(room);
    });
    const more = createButton("⋯", () => this.#openMenu(room, more));
    more.className = "quiet room-more";
    more.ariaLabel = `What to do with #${room}`;
    more.setAttribute("aria-haspopup", "true");
    return { item: create("li", {}, link, more), link, badge, spoken, last };
  }

  #fill({ item, link, badge, spoken, last }: Row, room: ShelvedRoom): void {
    const isCurrent = room.room === this.#current;
    const { unread, mentions, isMuted, isClosed } = room;
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    const isShown = !isCurrent && (isMuted ? mentions > 0 : unread > 0);
    const count = isMuted ? mentions : unread;
    item.classList.toggle("unread", isShown);
    item.classList.toggle("mentioned", isShown && mentions > 0);
    item.classList.toggle("muted", isMuted === true || isClosed);
    badge.hidden = !isShown;
    const more = count >= UNREAD_MAX ? `${UNREAD_MAX - 1}+` : String(count);
    setText(badge, mentions > 0 ? `@ ${more}` : more);
    setText(spoken, isShown ? `, ${unreadPhrase(count, mentions)}` : isMuted ? ", muted" : "");
    setText(last, room.last ? lastLinePhrase(room.last) : "");
  }

  #openMenu(room: string, button: HTMLElement): void {
    this.#menuRoom = room;
    const known = this.#rooms.find((other) => other.room === room);
    setText(this.#mute, known?.isMuted ? "Unmute" : "Mute");
    this.#menu.showPopover();
    const { left, bottom } = button.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = this.#menu;
    this.#menu.style.left = `${Math.max(8, Math.min(left, innerWidth - offsetWidth - 8))}px`;
    this.#menu.style.top = `${Math.min(bottom + 4, innerHeight - offsetHeight - 8)}px`;
    this.#mute.focus();
  }
}
