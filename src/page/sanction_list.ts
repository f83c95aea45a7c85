/**
 * The list of those who are muted or banned.
 *
 * @module
 */

import type { RoomSanctions, Sanction } from "../client/mod.ts";
import { createAvatar } from "./bubble.ts";
import { create, createButton, find, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import { createNames, type Names } from "./names.ts";
import { heldPhrase } from "./sanction_phrases.ts";

/** The options of {@linkcode SanctionList}. */
export interface SanctionListOptions {
  /** Asks the server. */
  readonly sanctions: RoomSanctions;
  /** The names and colours of people. */
  readonly names: Names;
}

/** The dialog with all that holds in a room, for its moderators, who may lift it there. */
export class SanctionList {
  readonly #options: SanctionListOptions;
  readonly #dialog = find("sanctions", HTMLDialogElement);
  readonly #list = find("sanctions-list", HTMLElement);
  readonly #status = find("sanctions-status", HTMLElement);
  readonly #close = find("sanctions-close", HTMLButtonElement);

  /** @param options Whom to ask. */
  constructor(options: SanctionListOptions) {
    this.#options = options;
    this.#close.onclick = () => this.#dialog.close();
  }

  /** Opens the dialog, and reads what holds. */
  async open(): Promise<void> {
    this.#list.replaceChildren();
    setText(this.#status, "…");
    this.#dialog.showModal();
    await this.#read();
  }

  async #read(): Promise<void> {
    try {
      const held = await this.#options.sanctions.list();
      const change = () => this.#list.replaceChildren(...held.map((one) => this.#create(one)));
      withoutFocusLoss(this.#list, change, () => this.#close);
      setText(this.#status, held.length === 0 ? "Nobody is muted or banned here." : "");
    } catch (error) {
      this.#fail(error);
    }
  }

  #create(sanction: Sanction): HTMLLIElement {
    const { names } = this.#options;
    const { user } = sanction;
    const name = names.of(user);
    const lift = createButton("Lift", () => void this.#lift(user));
    lift.ariaLabel = `Lift: ${name}`;
    return create(
      "li",
      { class: names.hue(user) },
      createAvatar(name),
      create(
        "div",
        { class: "held" },
        create("p", {}, ...createNames(user, name, "name")),
        create("p", { class: "held-what", text: heldPhrase(sanction, names.of, new Date()) }),
      ),
      lift,
    );
  }

  async #lift(user: string): Promise<void> {
    try {
      await this.#options.sanctions.lift(user);
      await this.#read();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    setText(this.#status, error instanceof Error ? error.message : String(error));
  }
}
