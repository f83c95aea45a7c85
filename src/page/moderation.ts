/**
 * What moderators can do to people.
 *
 * @module
 */

import { PersonDialog, type PersonDialogOptions } from "./person_dialog.ts";
import { SanctionList } from "./sanction_list.ts";

/** The dialogs of moderators. */
export class Moderation {
  readonly #person: PersonDialog;
  readonly #list: SanctionList;

  /** @param options Whom to ask. */
  constructor(options: PersonDialogOptions) {
    this.#person = new PersonDialog(options);
    this.#list = new SanctionList(options);
  }

  /**
   * Asks what to do with a person.
   *
   * @param user The person.
   */
  readonly person = (user: string): void => this.#person.open(user);

  /** Shows who is muted or banned. */
  readonly list = (): void => void this.#list.open();
}
