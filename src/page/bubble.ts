/**
 * The element of a message.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { clockTime, fullTime } from "./calendar.ts";
import { create } from "./elements.ts";
import { splitLinks } from "./links.ts";

/** How many colours there are for people; the style sheet has as many. */
const HUES = 8;

/** Made once: making one takes longer than a hundred uses of it. */
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * Creates the list item of a stored message.
 *
 * @param message The message.
 * @param isOwn Whether the reader wrote it.
 * @returns The item, as the first of a group.
 */
export function createBubble(message: StoredMessage, isOwn: boolean): HTMLLIElement {
  const sent = new Date(message.at);
  const time = create("time", {
    class: "time",
    text: clockTime(sent),
    attributes: { datetime: sent.toISOString(), title: fullTime(sent) },
  });
  const author = create("bdi", { class: "author", text: message.user });
  const item = create(
    "li",
    { class: `message ${hueOf(message.user)}` },
    createAvatar(message.user),
    create("div", { class: "byline" }, author, time),
    createText(message.text),
  );
  item.dataset.cursor = message.cursor;
  item.dataset.user = message.user;
  item.dataset.sent = String(sent.getTime());
  item.classList.toggle("own", isOwn);
  return item;
}

/**
 * Creates the paragraph of a text, with its links.
 *
 * @param text What a user wrote. It stays text whatever it holds.
 * @returns The paragraph.
 */
export function createText(text: string): HTMLParagraphElement {
  const paragraph = create("p", { class: "text", attributes: { dir: "auto" } });
  for (const { text: words, href, host } of splitLinks(text)) {
    paragraph.append(href === undefined ? words : createLink(words, href, host));
  }
  return paragraph;
}

/**
 * Creates the avatar of a user, which is hidden from screen readers: the name stands beside it.
 *
 * @param user The user's name.
 * @returns The avatar.
 */
export function createAvatar(user: string): HTMLElement {
  const initial = firstOf(user).toUpperCase();
  return create("span", { class: "avatar", text: initial, attributes: { "aria-hidden": "true" } });
}

/**
 * Chooses the colour of a user: the same everywhere and always.
 *
 * @param user The user's name.
 * @returns A class of the style sheet.
 */
export function hueOf(user: string): string {
  let hash = 0;
  for (const character of user) hash = (hash * 31 + character.codePointAt(0)!) % 65_521;
  return `hue-${hash % HUES}`;
}

/** A link, with the name of its host beside it where that is written in another way. */
function createLink(text: string, href: string, host: string | undefined): HTMLAnchorElement {
  const rel = "noopener noreferrer nofollow";
  // Letters that run from right to left must not change the order of an address.
  const link = create("a", { text, attributes: { href, rel, target: "_blank", dir: "ltr" } });
  if (host !== undefined) link.dataset.host = host;
  return link;
}

/** The first character as a reader counts: a flag or a family is one. */
function firstOf(text: string): string {
  return graphemes.segment(text).containing(0)?.segment ?? "";
}
