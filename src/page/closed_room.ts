/**
 * What is left to do for a reader who is not let in.
 *
 * @module
 */

import { find } from "./elements.ts";
import { InvitationForm } from "./invitation_form.ts";
import type { Memory } from "./memory.ts";
import type { Site } from "./site.ts";
import { tokenVerdict } from "./token_verdict.ts";

/**
 * Asks for another invitation where it is for want of one that the reader is not let in.
 *
 * @param options The room, and the token that does not let the reader in.
 * @param onLeave Called before another invitation is followed.
 */
export async function askForInvitation(
  { site, room, memory }: {
    readonly site: Site;
    readonly room: string;
    readonly memory: Memory;
  },
  onLeave: () => void,
): Promise<void> {
  const verdict = await tokenVerdict(site.endpointOf(room, "/messages?limit=1"), memory.token);
  if (verdict === "dead" || verdict === "needless") memory.token = undefined;
  if (verdict !== "dead" && verdict !== "forbidden") return;
  // Loading the page anew would end in the same.
  find("reload", HTMLElement).hidden = true;
  new InvitationForm(({ token, room: other = room }) => {
    memory.token = token;
    onLeave();
    location.assign(`${site.pageOf(other)}#token=${encodeURIComponent(token)}`);
  }).open();
}
