/**
 * The form that asks for an invitation.
 *
 * @module
 */

import { find, setText } from "./elements.ts";
import { type Invitation, readInvitation } from "./invitation.ts";

/** The form that asks for a link or a token, where the server lets in only who has one. */
export class InvitationForm {
  readonly #form = find("invitation", HTMLFormElement);
  readonly #field = find("invitation-text", HTMLInputElement);
  readonly #problem = find("invitation-problem", HTMLElement);

  /** @param onInvitation Called with what was pasted, once it is an invitation. */
  constructor(onInvitation: (invitation: Invitation) => void) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const invitation = readInvitation(this.#field.value);
      this.#field.setAttribute("aria-invalid", String(invitation === undefined));
      const problem = invitation
        ? ""
        : "This is neither a link with #token= at its end nor a token.";
      setText(this.#problem, problem);
      if (invitation) onInvitation(invitation);
      else this.#field.focus();
    });
  }

  /** Shows the form, with the focus in it. */
  open(): void {
    this.#form.hidden = false;
    this.#field.focus();
  }
}
