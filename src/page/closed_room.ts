/**
 * What is left to do for a reader who is not let in.
 *
 * @module
 */

import { find } from "./elements.ts";
import type { Invitation } from "./invitation.ts";
import { InvitationForm } from "./invitation_form.ts";
import { tokenVerdict } from "./token_verdict.ts";

/** The options of {@linkcode askForInvitation}. */
export interface InvitationQuestion {
  /** An address of the room that takes the same tokens. */
  readonly url: string;
  /** The token with which the reader was not let in. */
  readonly token: string | undefined;
  /** Forgets a token that is of no use. */
  readonly forget: () => void;
  /** Called with another invitation. */
  readonly onInvitation: (invitation: Invitation) => void;
}

/**
 * Asks for another invitation where it is for want of one that the reader is not let in.
 *
 * @param question Whom to ask, and what to do then.
 */
export async function askForInvitation(question: InvitationQuestion): Promise<void> {
  const { url, token, forget, onInvitation } = question;
  const verdict = await tokenVerdict(url, token);
  if (verdict === "dead" || verdict === "needless") forget();
  if (verdict !== "dead" && verdict !== "forbidden") return;
  // Loading the page anew would end in the same.
  find("reload", HTMLElement).hidden = true;
  new InvitationForm(onInvitation).open();
}
