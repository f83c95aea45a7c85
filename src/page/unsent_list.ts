/**
 * What the reader has said and the server has not stored yet.
 *
 * @module
 */

import type { Message } from "../protocol/mod.ts";
import { createText } from "./bubble.ts";
import { create, createButton, setText } from "./elements.ts";
import type { Unsent } from "./memory.ts";

/** What {@linkcode UnsentList} works with. */
export interface UnsentListOptions {
  /** Sends a message; one of the same `ref` is the same message. */
  readonly send: (text: string, options: { ref: string }) => Promise<Message>;
  /** Remembers what is in the list. */
  readonly save: (unsent: readonly Unsent[]) => void;
  /** Says something to a screen reader. */
  readonly announce: (text: string) => void;
}

/** Messages that are on their way, or failed and may be sent again. */
export class UnsentList {
  readonly #list: HTMLElement;
  readonly #options: UnsentListOptions;
  readonly #items = new Map<string, { readonly unsent: Unsent; readonly item: HTMLElement }>();

  /**
   * @param list The element that takes the messages in.
   * @param options How to send, and who hears of it.
   */
  constructor(list: HTMLElement, options: UnsentListOptions) {
    this.#list = list;
    this.#options = options;
  }

  /**
   * Shows a message as being on its way, and sends it.
   *
   * @param unsent The message. After a reload it is sent under the same name: if the server has
   * it already, it stays one message.
   */
  add(unsent: Unsent): void {
    const status = create("span", { class: "status" });
    const item = create(
      "li",
      { class: "message own unsent" },
      create("div", { class: "byline" }, status),
      createText(unsent.text),
    );
    this.#items.set(unsent.ref, { unsent, item });
    this.#list.append(item);
    this.#save();
    this.#send(unsent, item, status);
  }

  /**
   * Takes a message out: the server has stored it.
   *
   * @param ref Its name.
   */
  settle(ref: string): void {
    this.#items.get(ref)?.item.remove();
    if (this.#items.delete(ref)) this.#save();
  }

  #send(unsent: Unsent, item: HTMLElement, status: HTMLElement): void {
    item.classList.remove("failed");
    item.querySelector(".actions")?.remove();
    setText(status, "Sending…");
    this.#options.send(unsent.text, { ref: unsent.ref }).then(
      () => this.settle(unsent.ref),
      (error) => this.#fail(unsent, item, status, error),
    );
  }

  #fail(unsent: Unsent, item: HTMLElement, status: HTMLElement, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    item.classList.add("failed");
    setText(status, `Not sent: ${why}`);
    this.#options.announce(`Not sent: ${why}`);
    const retry = createButton("Try again", () => this.#send(unsent, item, status));
    const discard = createButton("Discard", () => this.settle(unsent.ref));
    item.append(create("div", { class: "actions" }, retry, discard));
  }

  #save(): void {
    this.#options.save([...this.#items.values()].map(({ unsent }) => unsent));
  }
}
