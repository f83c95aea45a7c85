/**
 * The panel that invites, and tells what else this server can do.
 *
 * @module
 */

import { find } from "./elements.ts";

/** Milliseconds for which a button says that it has done its work. */
const DONE_MS = 2_000;

/**
 * Makes the panel and the buttons that open it work.
 *
 * @param room The room to invite to, or undefined before one is chosen.
 */
export function setUpAbout(room: string | undefined): void {
  const dialog = find("about", HTMLDialogElement);
  const link = find("invite-link", HTMLInputElement);
  for (const opener of document.querySelectorAll<HTMLElement>("[data-opens=about]")) {
    opener.onclick = () => dialog.showModal();
  }
  find("about-close", HTMLButtonElement).onclick = () => dialog.close();
  // A click beside the panel is one on the dialog itself.
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  find("invite-part", HTMLElement).hidden = room === undefined;
  if (room === undefined) return;
  link.value = `${location.origin}/r/${room}`;
  link.onfocus = () => link.select();
  for (const anchor of document.querySelectorAll<HTMLAnchorElement>("a[data-path]")) {
    anchor.href = `/rooms/${room}${anchor.dataset.path}`;
    anchor.textContent = anchor.pathname;
  }
  const button = find("invite", HTMLButtonElement);
  const label = find("invite-label", HTMLElement);
  const words = label.textContent;
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(link.value);
      label.textContent = "Link copied";
      button.classList.add("done");
      setTimeout(() => {
        label.textContent = words;
        button.classList.remove("done");
      }, DONE_MS);
    } catch {
      // Without TLS, or without leave, there is no clipboard: the reader copies by hand.
      dialog.showModal();
      link.focus();
    }
  };
}
