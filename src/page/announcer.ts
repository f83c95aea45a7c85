/**
 * Announcements for screen readers.
 *
 * @module
 */

import type { RoomMessage } from "../client/mod.ts";
import { create } from "./elements.ts";

/** Announcements that are kept: a screen reader says what is added, and what goes it forgets. */
const KEPT = 5;
/** Characters of a message that are announced. */
const SAID = 200;
/** Messages of one animation frame that are announced one by one. */
const SAID_AT_ONCE = 3;

/**
 * An invisible live region. The list of messages is not one itself: older messages that are
 * loaded into it, and the history at the start, would all be read out.
 */
export class Announcer {
  readonly #region: HTMLElement;

  /** @param region An element with `aria-live`. */
  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /**
   * Says something when the screen reader has finished what it is saying.
   *
   * @param text What to say.
   */
  say(text: string): void {
    this.#region.append(create("p", { text }));
    while (this.#region.childElementCount > KEPT) this.#region.firstElementChild?.remove();
  }

  /**
   * Says what others wrote, or how much where it is much at once.
   *
   * @param messages The messages.
   */
  sayMessages(messages: readonly RoomMessage[]): void {
    if (messages.length > SAID_AT_ONCE) return this.say(`${messages.length} new messages`);
    for (const { user, name = user, text, deleted } of messages) {
      if (!deleted) this.say(`${name}: ${text.slice(0, SAID)}`);
    }
  }
}
