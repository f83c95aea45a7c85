/**
 * The panel about the server, with the invitation to the room.
 *
 * @module
 */

import { find } from "./elements.ts";
import type { Site } from "./site.ts";

/** Milliseconds for which the button shows that the link was copied. */
const DONE_MS = 2_000;

/**
 * Sets up the panel and the buttons that open it.
 *
 * @param site The server.
 * @param room The room to invite to, or undefined before one is chosen.
 */
export function setUpAbout(site: Site, room: string | undefined): void {
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
  const socket = new URL(site.endpointOf(room ?? "lobby", "/ws"));
  find("socket-path", HTMLElement).textContent = `${socket.pathname}?user={user}`;
  for (const anchor of dialog.querySelectorAll("a")) {
    const { path } = anchor.dataset;
    if (path !== undefined) anchor.href = site.endpointOf(room ?? "lobby", path);
    anchor.textContent = anchor.pathname;
  }
  if (room === undefined) return;
  link.value = site.pageOf(room);
  link.onfocus = () => link.select();
  const button = find("invite", HTMLButtonElement);
  const label = find("invite-label", HTMLElement);
  const words = label.textContent;
  find("empty-room", HTMLElement).textContent = `#${room}`;
  find("empty-invite", HTMLButtonElement).onclick = () => button.click();
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
