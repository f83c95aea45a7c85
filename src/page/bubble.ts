/**
 * The element of a message.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { type FootActions, showFoot } from "./bubble_foot.ts";
import { clockTime, fullTime } from "./calendar.ts";
import { create } from "./elements.ts";
import { createNames, type Names } from "./names.ts";
import { firstOf, isEmojiAlone, splitText, type TextPart } from "./rich_text.ts";

/** What bubbles need beside their messages. */
export interface BubbleOptions extends FootActions {
  /** The names and colours of people. */
  readonly names: Names;
  /** Creates the quote of a message that is answered. */
  readonly quote: (cursor: string) => HTMLElement;
}

/**
 * Creates the list item of a stored message.
 *
 * @param message The message.
 * @param isOwn Whether the reader wrote it.
 * @param options What can be done with it.
 * @returns The item, as the first of a group.
 */
export function createBubble(
  message: StoredMessage,
  isOwn: boolean,
  options: BubbleOptions,
): HTMLLIElement {
  const sent = new Date(message.at);
  const time = create("time", {
    class: "time",
    text: clockTime(sent),
    attributes: { datetime: sent.toISOString(), title: fullTime(sent) },
  });
  const { user, name = user } = message;
  const item = create(
    "li",
    { class: `message ${options.names.hue(user)}`, attributes: { tabindex: "-1" } },
    createAvatar(name),
    create("div", { class: "byline" }, ...createNames(user, name, "author"), time),
  );
  showContent(item, message, options);
  item.dataset.cursor = message.cursor;
  item.dataset.user = user;
  item.dataset.sent = String(sent.getTime());
  item.classList.toggle("own", isOwn);
  return item;
}

/**
 * Shows a message as it is now.
 *
 * @param item Its element.
 * @param before The message as it was.
 * @param message The message as it is.
 * @param options What can be done with it.
 */
export function updateBubble(
  item: HTMLElement,
  before: StoredMessage,
  message: StoredMessage,
  options: BubbleOptions,
): void {
  const isSame = before.text === message.text && before.deleted === message.deleted;
  if (isSame) return showFoot(item, message, options);
  for (const part of item.querySelectorAll(".quote, .text")) part.remove();
  showContent(item, message, options);
}

function showContent(item: HTMLElement, message: StoredMessage, options: BubbleOptions): void {
  const { replyTo, deleted, text } = message;
  const content = deleted
    ? create("p", { class: "text deleted", text: "This message was deleted" })
    : createText(text, options.names.own);
  item.classList.toggle("tombstone", deleted === true);
  item.querySelector(".byline")?.after(
    ...(replyTo === undefined || deleted ? [] : [options.quote(replyTo)]),
    content,
  );
  showFoot(item, message, options);
}

/**
 * Creates the element of a text, with its links and its code.
 *
 * @param text What a user wrote. It stays text whatever it holds.
 * @param names The reader's names, which stand out where they are mentioned.
 * @returns The element.
 */
export function createText(text: string, names: readonly string[]): HTMLElement {
  const element = create("div", { class: "text", attributes: { dir: "auto" } });
  const parts = splitText(text, names).map(createPart);
  element.append(...parts);
  element.classList.toggle("emoji", isEmojiAlone(text));
  element.classList.toggle("mentions", element.querySelector("mark") !== null);
  return element;
}

function createPart(part: TextPart): Node | string {
  switch (part.type) {
    case "words":
      return part.text;
    case "link":
      return createLink(part.text, part.href, part.host);
    case "mention":
      return create("mark", { text: part.text });
    case "code":
      return create("code", { text: part.text });
    case "block":
      return create(
        "pre",
        { attributes: { dir: "ltr", tabindex: "0", role: "group", "aria-label": "Code" } },
        create("code", { text: part.text }),
      );
  }
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

/** A link, with the name of its host beside it where that is written in another way. */
function createLink(text: string, href: string, host: string | undefined): HTMLAnchorElement {
  const rel = "noopener noreferrer nofollow";
  // Letters that run from right to left must not change the order of an address.
  const link = create("a", { text, attributes: { href, rel, target: "_blank", dir: "ltr" } });
  if (host !== undefined) link.dataset.host = host;
  return link;
}
