/**
 * The messages that other messages answer.
 *
 * @module
 */

import type { RoomMessage } from "../client/mod.ts";
import { create, setText } from "./elements.ts";

/** Characters of a message that its answers show. */
const QUOTED = 140;

/** The options of {@linkcode Quotes}. */
export interface QuotesOptions {
  /** Finds a message; undefined where there is none. */
  readonly find: (cursor: string) => Promise<RoomMessage | undefined>;
  /** Leads to a message. */
  readonly onOpen: (cursor: string) => void;
}

/** Quotes above answers, which lead to what they answer and show it as it is. */
export class Quotes {
  readonly #options: QuotesOptions;
  /** What is known of messages that are answered. */
  readonly #known = new Map<string, RoomMessage | undefined>();
  readonly #asked = new Set<string>();

  /** @param options Where messages are. */
  constructor(options: QuotesOptions) {
    this.#options = options;
  }

  /**
   * Creates the quote above an answer.
   *
   * @param cursor The message that is answered.
   * @returns A button that leads to it.
   */
  create(cursor: string): HTMLButtonElement {
    const quote = create(
      "button",
      { class: "quote", attributes: { type: "button" } },
      create("span", { class: "unseen-label", text: "Answer to " }),
      create("bdi", { class: "quoted-user" }),
      create("span", { class: "quoted-text", attributes: { dir: "auto" } }),
    );
    quote.dataset.quotes = cursor;
    quote.addEventListener("click", () => this.#options.onOpen(cursor));
    this.#show(quote);
    if (!this.#known.has(cursor)) void this.#ask(cursor);
    return quote;
  }

  /**
   * Notes how a message is now, and shows it so above its answers.
   *
   * @param message The message.
   */
  update(message: RoomMessage): void {
    const { cursor } = message;
    if (cursor === undefined) return;
    if (!this.#known.has(cursor) && !this.#asked.has(cursor)) return;
    this.#known.set(cursor, message);
    this.#showAll(cursor);
  }

  /**
   * Takes away what a user wrote.
   *
   * @param user The user.
   */
  erase(user: string): void {
    for (const [cursor, message] of this.#known) {
      if (message?.user !== user) continue;
      this.#known.set(cursor, { ...message, text: "", deleted: true });
      this.#showAll(cursor);
    }
  }

  async #ask(cursor: string): Promise<void> {
    if (this.#asked.has(cursor)) return;
    this.#asked.add(cursor);
    try {
      const found = await this.#options.find(cursor);
      if (!this.#known.has(cursor)) this.#known.set(cursor, found);
      this.#showAll(cursor);
    } catch {
      this.#asked.delete(cursor); // Asked again with the next answer.
    }
  }

  #showAll(cursor: string): void {
    const selector = `[data-quotes="${CSS.escape(cursor)}"]`;
    for (const quote of document.querySelectorAll<HTMLElement>(selector)) this.#show(quote);
  }

  #show(quote: HTMLElement): void {
    const cursor = quote.dataset.quotes ?? "";
    const message = this.#known.get(cursor);
    const isAbsent = this.#known.has(cursor) && !message;
    const [user, text] = quote.querySelectorAll<HTMLElement>(".quoted-user, .quoted-text");
    setText(user, message?.name ?? message?.user ?? "");
    setText(text, isAbsent ? "A message that is gone" : message ? quoted(message) : "…");
  }
}

/**
 * Shortens a message to what fits above its answer.
 *
 * @param message The message.
 * @returns One line.
 */
export function quoted({ text, deleted }: RoomMessage): string {
  if (deleted) return "Deleted message";
  const line = text.replace(/\s+/g, " ");
  return line.length > QUOTED ? `${line.slice(0, QUOTED).toWellFormed()}…` : line;
}
