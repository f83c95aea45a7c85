/**
 * The stored messages of a room, by day.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { eraseUser } from "../client/message_fold.ts";
import { type BubbleOptions, createBubble, updateBubble } from "./bubble.ts";
import { dayKey, dayName } from "./calendar.ts";
import { create, find, setText } from "./elements.ts";
import { regroup } from "./message_groups.ts";
import { firstBelow } from "./viewport.ts";

/** A list of messages that grows at both ends, and becomes shorter there. */
export class Timeline {
  /** The days of the log as it is. */
  readonly #days = find("days", HTMLElement);
  /** Above them, the days of a log that is no longer there. */
  readonly #past = find("past", HTMLElement);
  /** Messages that are shown, oldest first. */
  #shown: StoredMessage[] = [];
  /** The elements of those that are shown, by cursor. */
  readonly #elements = new Map<string, HTMLLIElement>();
  readonly #bubbles: BubbleOptions;
  #user: string;

  /**
   * @param user The reader, whose messages are marked.
   * @param bubbles What can be done with messages.
   */
  constructor(user: string, bubbles: BubbleOptions) {
    this.#user = user;
    this.#bubbles = bubbles;
  }

  /** The reader; a change marks what is here already. */
  set user(user: string) {
    if (user === this.#user) return;
    this.#user = user;
    for (const item of this.#items()) item.classList.toggle("own", item.dataset.user === user);
  }

  /** The cursor of the oldest message that is shown. */
  get first(): string | undefined {
    return this.#shown[0]?.cursor;
  }

  /** The cursor of the newest message. */
  get last(): string | undefined {
    return this.#shown.at(-1)?.cursor;
  }

  /** The messages that are shown, oldest first. */
  get messages(): readonly StoredMessage[] {
    return this.#shown;
  }

  /** Adds the newest message. */
  append(message: StoredMessage): void {
    const list = this.#listOf(message, "last");
    const item = this.#create(message);
    this.#shown.push(message);
    list.append(item);
    regroup(item);
  }

  /**
   * Adds older messages before all others.
   *
   * @param messages Oldest first.
   */
  prepend(messages: readonly StoredMessage[]): void {
    this.#shown = [...messages, ...this.#shown];
    for (const message of messages.toReversed()) {
      const list = this.#listOf(message, "first");
      const item = this.#create(message);
      list.prepend(item);
      regroup(item);
    }
  }

  /** How many messages are shown. */
  get size(): number {
    return this.#shown.length;
  }

  /**
   * Takes the oldest messages away.
   *
   * @param count How many.
   */
  dropFirst(count: number): void {
    this.#past.replaceChildren();
    this.#drop(this.#shown.splice(0, count));
    const first = this.#days.querySelector<HTMLElement>(".message");
    if (first) regroup(first);
  }

  /**
   * Takes the newest messages away.
   *
   * @param count How many.
   */
  dropLast(count: number): void {
    this.#drop(this.#shown.splice(-count));
    // What stood before them alone: where something was missing, where the new began.
    const list = this.#days.lastElementChild?.querySelector("ol");
    while (list?.lastElementChild?.matches(":not(.message)")) list.lastElementChild.remove();
  }

  /** Takes all messages away, those of a log that is no longer there as well. */
  clear(): void {
    this.#past.replaceChildren();
    this.#days.replaceChildren();
    this.#shown = [];
    this.#elements.clear();
  }

  /** Marks after the newest message that some may be missing. */
  appendGap(): void {
    this.#days.lastElementChild?.querySelector("ol")?.append(createGap());
  }

  /**
   * Begins anew, for another log under the same name. What was shown stays above, with a gap; older
   * messages come below it from now on.
   */
  restart(): void {
    if (this.#shown.length === 0) return;
    this.appendGap();
    this.#past.append(...this.#days.children);
    this.#shown = [];
    this.#elements.clear();
  }

  /** Names the days anew: what was today may be yesterday now. */
  refreshDays(): void {
    const now = new Date();
    for (const day of [...this.#past.children, ...this.#days.children]) {
      const name = day.querySelector<HTMLElement>(".day span");
      const item = day.querySelector<HTMLElement>(".message");
      if (name && item) setText(name, dayName(new Date(Number(item.dataset.sent)), now));
    }
  }

  /**
   * Finds a message.
   *
   * @param cursor Its cursor.
   * @returns Its element, where it is here.
   */
  find(cursor: string): HTMLElement | undefined {
    return this.#elements.get(cursor);
  }

  /**
   * Gives a message that is shown.
   *
   * @param cursor Its cursor.
   * @returns The message, where it is here.
   */
  message(cursor: string): StoredMessage | undefined {
    return this.#shown.find((message) => message.cursor === cursor);
  }

  /**
   * Gives the messages of others after a place.
   *
   * @param cursor The place.
   * @returns Those that are shown, oldest first.
   */
  othersAfter(cursor: string): StoredMessage[] {
    const after = this.#shown.slice(this.#shown.findLastIndex((one) => one.cursor <= cursor) + 1);
    return after.filter(({ user, deleted }) => user !== this.#user && !deleted);
  }

  /** The newest message of the reader that is not deleted. */
  get lastOwn(): StoredMessage | undefined {
    return this.#shown.findLast(({ user, deleted }) => user === this.#user && !deleted);
  }

  /**
   * Finds the messages that are shown in another way than they are.
   *
   * @param messages Messages as they are now; those that are not here are passed over.
   * @returns Those of them.
   */
  changed(messages: readonly StoredMessage[]): StoredMessage[] {
    const now = new Map(messages.map((message) => [message.cursor, message]));
    return this.#shown.flatMap((before) => {
      const message = now.get(before.cursor);
      return message && message !== before ? [message] : [];
    });
  }

  /**
   * Gives messages as they are without what a user wrote and reacted.
   *
   * @param erased The user.
   * @returns Those that are shown otherwise.
   */
  without(erased: string): StoredMessage[] {
    return this.#shown.flatMap((message) => {
      const left = eraseUser(message, erased, this.#user);
      return left === message ? [] : [left];
    });
  }

  /**
   * Shows messages as they are now.
   *
   * @param messages The messages; those that are not here are passed over.
   */
  refresh(messages: readonly StoredMessage[]): void {
    const now = new Map(messages.map((message) => [message.cursor, message]));
    const update = (before: StoredMessage) => {
      const message = now.get(before.cursor);
      if (!message || message === before) return before;
      const item = this.#elements.get(message.cursor);
      if (item) updateBubble(item, before, message, this.#bubbles);
      return message;
    };
    this.#shown = this.#shown.map(update);
  }

  /**
   * Finds the first message that reaches below a line.
   *
   * @param line The line: CSS pixels from the top of the window.
   * @returns Its element, where there is one.
   */
  firstBelow(line: number): HTMLElement | undefined {
    return firstBelow(this.#items(), line);
  }

  /**
   * Finds the last message that is above a line as a whole.
   *
   * @param line The line: CSS pixels from the top of the window.
   * @returns Its cursor, where there is one.
   */
  lastAbove(line: number): string | undefined {
    const items = this.#items();
    const below = firstBelow(items, line);
    return (below ? items[items.indexOf(below) - 1] : items.at(-1))?.dataset.cursor;
  }

  #drop(messages: readonly StoredMessage[]): void {
    for (const { cursor } of messages) {
      this.#elements.get(cursor)?.remove();
      this.#elements.delete(cursor);
    }
    for (const day of [...this.#days.children]) if (!day.querySelector(".message")) day.remove();
  }

  #items(): HTMLElement[] {
    return [...this.#days.querySelectorAll<HTMLElement>(".message")];
  }

  #create(message: StoredMessage): HTMLLIElement {
    const item = createBubble(message, message.user === this.#user, this.#bubbles);
    this.#elements.set(message.cursor, item);
    return item;
  }

  /** The list of a message's day, at one end of the timeline, made where it is missing. */
  #listOf(message: StoredMessage, end: "first" | "last"): HTMLOListElement {
    const sent = new Date(message.at);
    const key = dayKey(sent);
    const day = end === "first" ? this.#days.firstElementChild : this.#days.lastElementChild;
    const list = day?.querySelector("ol");
    if (list && day instanceof HTMLElement && day.dataset.day === key) return list;
    const made = create("ol", { class: "messages" });
    const name = create("span", { text: dayName(sent, new Date()) });
    const section = create("section", {}, create("h2", { class: "day" }, name), made);
    section.dataset.day = key;
    if (end === "first") this.#days.prepend(section);
    else {
      this.refreshDays();
      this.#days.append(section);
    }
    return made;
  }
}

function createGap(): HTMLLIElement {
  return create("li", { class: "gap", text: "Messages may be missing here" });
}
