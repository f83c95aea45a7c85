/**
 * The cost of showing messages.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";

/** Characters that are laid out in one animation frame: some 20 usual messages, or a long one. */
const CHARACTERS_PER_FRAME = 4_000;
/** Characters that a message costs by itself. */
const CHARACTERS_PER_MESSAGE = 100;

/** What may be shown in one animation frame. A first message always fits. */
export class RenderBudget {
  #left = CHARACTERS_PER_FRAME;
  #isFresh = true;

  /**
   * Spends what a message costs, if there is as much left.
   *
   * @param message The message.
   * @returns Whether the message fits into this frame.
   */
  spend({ text }: StoredMessage): boolean {
    const cost = CHARACTERS_PER_MESSAGE + text.length;
    if (cost > this.#left && !this.#isFresh) return false;
    this.#isFresh = false;
    this.#left -= cost;
    return true;
  }
}

/**
 * Splits messages into those of an animation frame each.
 *
 * @param messages The messages.
 * @returns Them in their order, in lists that may be shown at once.
 */
export function framesOf(messages: readonly StoredMessage[]): StoredMessage[][] {
  const frames: StoredMessage[][] = [];
  let budget: RenderBudget | undefined;
  for (const message of messages) {
    if (budget?.spend(message)) frames.at(-1)?.push(message);
    else {
      budget = new RenderBudget();
      budget.spend(message);
      frames.push([message]);
    }
  }
  return frames;
}
