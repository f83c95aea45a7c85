/**
 * What stands under the text of a message: that it was edited, and the reactions to it.
 *
 * @module
 */

import type { RoomMessage } from "../client/mod.ts";
import { fullTime } from "./calendar.ts";
import { create, createButton, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import type { Names } from "./names.ts";
import { sentence } from "./phrases.ts";

type Reaction = NonNullable<RoomMessage["reactions"]>[number];

/** What can be done under a message. */
export interface FootActions {
  /** The names and colours of people. */
  readonly names: Names;
  /** Reacts to a message, or takes it back. */
  readonly react: (message: RoomMessage, emoji: string, status: boolean) => void;
  /** Sends changes again that have failed. */
  readonly retry: (message: RoomMessage) => void;
  /** Gives changes up that have failed. */
  readonly discard: (message: RoomMessage) => void;
}

/** Names of those who react that a title holds. */
const NAMED = 10;

/**
 * Shows a message's foot as the message is now. Buttons that stay are the same, with the focus.
 *
 * @param item The element of the message.
 * @param message The message.
 * @param actions What can be done.
 */
export function showFoot(item: HTMLElement, message: RoomMessage, actions: FootActions): void {
  const { editedAt, reactions = [], changes = [], deleted } = message;
  let foot = item.querySelector<HTMLElement>(".foot");
  const isEdited = editedAt !== undefined && !deleted;
  if (!isEdited && reactions.length === 0) foot?.remove();
  else {
    if (!foot) item.append(foot = create("div", { class: "foot" }));
    showEdited(foot, isEdited ? editedAt : undefined);
    showReactions(foot, message, reactions, actions);
  }
  showFailure(item, message, changes.find(({ status }) => status === "failed"), actions);
  item.classList.toggle("changing", changes.some(({ status }) => status !== "failed"));
}

function showEdited(foot: HTMLElement, editedAt: number | undefined): void {
  const before = foot.querySelector<HTMLElement>(".edited");
  if (editedAt === undefined) return before?.remove();
  const edited = before ?? create("span", { class: "edited", text: "(edited)" });
  edited.title = fullTime(new Date(editedAt));
  if (!before) foot.prepend(edited);
}

function showReactions(
  foot: HTMLElement,
  message: RoomMessage,
  reactions: readonly Reaction[],
  { react, names }: FootActions,
): void {
  const before = new Map<string, HTMLButtonElement>();
  for (const button of foot.querySelectorAll<HTMLButtonElement>(".reaction")) {
    before.set(button.dataset.emoji ?? "", button);
  }
  const change = () => {
    for (const [emoji, button] of before) {
      if (!reactions.some((reaction) => reaction.emoji === emoji)) button.remove();
    }
    for (const reaction of reactions) {
      const { emoji } = reaction;
      const button = before.get(emoji) ?? createButton("", () => {
        react(message, emoji, button.getAttribute("aria-pressed") !== "true");
      });
      if (!before.has(emoji)) {
        button.className = "reaction";
        button.dataset.emoji = emoji;
        foot.append(button);
      }
      showReaction(button, reaction, names.of);
    }
  };
  withoutFocusLoss(foot, change, () => foot.closest<HTMLElement>(".message"));
}

function showReaction(
  button: HTMLButtonElement,
  { emoji, count, users, mine }: Reaction,
  nameOf: (user: string) => string,
): void {
  setText(button, `${emoji} ${count}`);
  button.setAttribute("aria-pressed", String(mine === true));
  const more = count - Math.min(users.length, NAMED);
  const names = users.slice(0, NAMED).map(nameOf).join(", ") +
    (more > 0 ? ` and ${more} more` : "");
  button.title = `${names} reacted with ${emoji}`;
  button.ariaLabel = `${emoji}, ${count} ${count === 1 ? "reaction" : "reactions"}: ${names}`;
}

function showFailure(
  item: HTMLElement,
  message: RoomMessage,
  failed: NonNullable<RoomMessage["changes"]>[number] | undefined,
  { retry, discard }: FootActions,
): void {
  const before = item.querySelector<HTMLElement>(".failure");
  if (!failed) {
    if (before) withoutFocusLoss(before, () => before.remove(), () => item);
    return;
  }
  const what = { edit: "Not edited", delete: "Not deleted", reaction: "No reaction" }[failed.kind];
  const why = sentence(`${what}: ${failed.error?.message ?? "it was refused"}`);
  if (before?.dataset.ref === failed.ref) {
    return setText(before.querySelector<HTMLElement>(".status")!, why);
  }
  before?.remove();
  const failure = create(
    "div",
    { class: "failure actions", attributes: { role: "group", "aria-label": what } },
    create("span", { class: "status", text: why, attributes: { role: "status" } }),
    createButton("Try again", () => retry(message)),
    createButton("Discard", () => discard(message)),
  );
  failure.dataset.ref = failed.ref;
  item.append(failure);
}
