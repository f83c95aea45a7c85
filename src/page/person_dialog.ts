/**
 * What a moderator can do to a person.
 *
 * @module
 */

import type { RoomSanctions, SanctionDraft, SanctionKind } from "../client/mod.ts";
import { createButton, find, setText } from "./elements.ts";
import type { Names } from "./names.ts";
import { DEEDS, donePhrase, heldPhrase } from "./sanction_phrases.ts";

/** The options of {@linkcode PersonDialog}. */
export interface PersonDialogOptions {
  /** Asks the server. */
  readonly sanctions: RoomSanctions;
  /** The names and colours of people. */
  readonly names: Names;
  /** Announces a text to a screen reader. */
  readonly announce: (text: string) => void;
}

/** The dialog in which a moderator mutes, bans or puts out a person, or lifts that. */
export class PersonDialog {
  readonly #options: PersonDialogOptions;
  readonly #dialog = find("person", HTMLDialogElement);
  readonly #form = find("person-form", HTMLFormElement);
  readonly #held = find("person-held", HTMLElement);
  readonly #span = find("person-span", HTMLElement);
  readonly #seconds = find("person-seconds", HTMLSelectElement);
  readonly #reason = find("person-reason", HTMLInputElement);
  readonly #problem = find("person-problem", HTMLElement);
  readonly #do = find("person-do", HTMLButtonElement);
  #user = "";

  /** @param options Whom to ask. */
  constructor(options: PersonDialogOptions) {
    this.#options = options;
    for (const id of ["person-close", "person-cancel"]) {
      find(id, HTMLButtonElement).onclick = () => this.#dialog.close();
    }
    this.#form.onchange = () => this.#show();
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      void this.#impose();
    };
  }

  /**
   * Opens the dialog.
   *
   * @param user The person.
   */
  open(user: string): void {
    const { names: { of: nameOf } } = this.#options;
    this.#user = user;
    this.#form.reset();
    setText(find("person-name", HTMLElement), nameOf(user));
    const id = find("person-user", HTMLElement);
    id.hidden = nameOf(user) === user;
    setText(id, user);
    setText(this.#problem, "");
    this.#held.replaceChildren();
    this.#do.disabled = false;
    this.#show();
    this.#dialog.showModal();
    void this.#look(user);
  }

  get #kind(): SanctionKind {
    return new FormData(this.#form).get("kind") as SanctionKind;
  }

  #show(): void {
    this.#span.hidden = this.#kind === "kick";
    setText(this.#do, DEEDS[this.#kind]);
  }

  /** Shows what holds of the person already. */
  async #look(user: string): Promise<void> {
    const { sanctions, names: { of: nameOf } } = this.#options;
    const held = await sanctions.list().catch(() => []);
    if (user !== this.#user) return;
    const own = held.filter((sanction) => sanction.user === user);
    this.#held.replaceChildren(
      ...own.map((sanction) => `${heldPhrase(sanction, nameOf, new Date())}. `),
      ...(own.length > 0 ? [createButton("Lift", () => void this.#lift())] : []),
    );
  }

  async #impose(): Promise<void> {
    const { sanctions, names: { of: nameOf }, announce } = this.#options;
    const kind = this.#kind;
    const reason = this.#reason.value.trim();
    const draft: SanctionDraft = {
      kind,
      ...(kind !== "kick" && this.#seconds.value !== "" &&
        { seconds: Number(this.#seconds.value) }),
      ...(reason !== "" && { reason }),
    };
    const user = this.#user;
    await this.#ask(() => sanctions.impose(user, draft), () => {
      announce(donePhrase(nameOf(user), kind));
    });
  }

  async #lift(): Promise<void> {
    const { sanctions, names: { of: nameOf }, announce } = this.#options;
    const user = this.#user;
    await this.#ask(() => sanctions.lift(user), () => announce(`${nameOf(user)} may write again`));
  }

  /** Asks the server; says what it refused, and closes where it did not. */
  async #ask(ask: () => Promise<void>, onDone: () => void): Promise<void> {
    setText(this.#problem, "");
    this.#do.disabled = true;
    try {
      await ask();
      this.#dialog.close();
      onDone();
    } catch (error) {
      setText(this.#problem, error instanceof Error ? error.message : String(error));
    } finally {
      this.#do.disabled = false;
    }
  }
}
