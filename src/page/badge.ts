/**
 * The title and the icon of the page.
 *
 * @module
 */

/** The count of what came unseen, in the title of the tab and as a dot on its icon. */
export class Badge {
  readonly #icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  #room = "";
  /** Messages that came while the tab was hidden. */
  #hidden = 0;
  /** Mentions of the reader in other rooms. */
  #elsewhere = 0;

  /** Listens to whether the tab is seen. */
  constructor() {
    document.addEventListener("visibilitychange", () => this.#show());
  }

  /** The open room. */
  set room(room: string) {
    this.#room = room;
    this.#hidden = 0;
    this.#show();
  }

  /** Mentions of the reader in other rooms. */
  set elsewhere(count: number) {
    this.#elsewhere = count;
    this.#show();
  }

  /** Counts a message that came in the open room. */
  came(): void {
    this.#hidden++;
    this.#show();
  }

  #show(): void {
    if (document.visibilityState === "visible") this.#hidden = 0;
    const count = this.#hidden + this.#elsewhere;
    const title = `${count > 0 ? `(${count}) ` : ""}#${this.#room} · Hubbub`;
    if (document.title !== title) document.title = title;
    const icon = this.#icon;
    if (!icon) return;
    const href = icon.href.replace(
      /icon(?:-unread)?\.svg$/,
      `icon${count > 0 ? "-unread" : ""}.svg`,
    );
    if (icon.href !== href) icon.href = href;
  }
}
