/**
 * The reader's messages that are not stored yet.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { type BubbleOptions, createBubble } from "./bubble.ts";
import { create, createButton, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import type { Unsent } from "./memory.ts";
import { regroup } from "./message_groups.ts";
import { sentence } from "./phrases.ts";

/**
 * Milliseconds for which the server knows a message again that was sent before. One that may have
 * been stored longer ago, and does not stand in the history, is not sent again unasked.
 */
const REPEAT_MS = 2 * 60 * 1000;

/** The options of {@linkcode UnsentList}. */
export interface UnsentListOptions {
  /** Sends a message; one of the same `ref` is the same message. */
  readonly send: (
    text: string,
    options: { ref: string; replyTo?: string; signal: AbortSignal },
  ) => Promise<StoredMessage>;
  /** What messages need to be shown. */
  readonly bubbles: BubbleOptions;
  /** Gives the reader's user name. */
  readonly user: () => string;
  /** Keeps a message, or what has changed about it. */
  readonly keep: (unsent: Unsent) => void;
  /** Removes a message that was stored or discarded. */
  readonly drop: (ref: string) => void;
  /** Announces a text to a screen reader. */
  readonly announce: (text: string) => void;
  /** Called when the server has stored a message; {@linkcode UnsentList.settle} takes it out. */
  readonly onStored: (ref: string) => void;
  /** Gets the focus where a button that had it is gone. */
  readonly focusNext: () => HTMLElement | null;
}

interface Item {
  unsent: Unsent;
  readonly element: HTMLElement;
  readonly status: HTMLElement;
  /** Whether it is with the connection, which sends it. */
  isSending: boolean;
  /** Whether it may have been stored long ago, which the history will tell. */
  isDoubtful: boolean;
  /** Gives it up. */
  readonly discarding: AbortController;
}

/** Messages that are on their way, or failed and may be sent again. */
export class UnsentList {
  readonly #list: HTMLElement;
  readonly #options: UnsentListOptions;
  readonly #items = new Map<string, Item>();
  #isLive = false;
  #lastWrittenAt = 0;

  /**
   * @param list The element that takes the messages in.
   * @param options How to send and keep them.
   */
  constructor(list: HTMLElement, options: UnsentListOptions) {
    this.#list = list;
    this.#options = options;
  }

  /** How many messages there are. */
  get size(): number {
    return this.#items.size;
  }

  /** Whether there is a connection, so that what is sent may arrive. */
  set isLive(isLive: boolean) {
    this.#isLive = isLive;
    for (const item of this.#items.values()) this.#showSending(item);
  }

  /**
   * Adds a message and sends it.
   *
   * @param text The text.
   * @param replyTo The message that it answers.
   */
  add(text: string, replyTo: string | undefined): void {
    // Not `randomUUID`, which needs TLS or localhost.
    const ref = crypto.getRandomValues(new Uint8Array(12)).reduce((hex, byte) => {
      return hex + byte.toString(16).padStart(2, "0");
    }, "");
    const writtenAt = this.#lastWrittenAt = Math.max(Date.now(), this.#lastWrittenAt + 1);
    this.#send(this.#create({ ref, text, replyTo, writtenAt }));
  }

  /**
   * Adds a message that was kept from an earlier page. It is sent under its old name: if the server
   * has it already, it stays one message.
   *
   * @param unsent The message.
   */
  restore(unsent: Unsent): void {
    if (this.#items.has(unsent.ref)) return;
    const item = this.#create(unsent);
    const { triedAt } = unsent;
    const ageMs = triedAt === undefined ? 0 : Date.now() - triedAt;
    item.isDoubtful = ageMs < 0 || ageMs > REPEAT_MS;
    if (item.isDoubtful) setText(item.status, "Kept from earlier");
    else this.#send(item);
  }

  /** Lets the messages go on the group of what is stored, as they will when they are. */
  group(): void {
    let before = [...document.querySelectorAll<HTMLElement>("#days .message")].at(-1);
    for (const { element } of this.#items.values()) {
      regroup(element, before ?? null);
      before = element;
    }
  }

  /** Asks about those messages that may have been stored long ago: the history does not hold them. */
  judgeDoubtful(): void {
    for (const item of this.#items.values()) {
      if (!item.isDoubtful) continue;
      item.isDoubtful = false;
      this.#stop(item, "Kept from earlier. It may have been sent.", "Send");
    }
  }

  /** Keeps all messages once more, for a user who is known now. */
  keepAll(): void {
    for (const { unsent } of this.#items.values()) this.#options.keep(unsent);
  }

  /**
   * Takes a message out, as one that was stored or discarded.
   *
   * @param ref Its name; one that is not here is passed over.
   */
  settle(ref: string): void {
    const item = this.#items.get(ref);
    if (!item) return;
    this.#items.delete(ref);
    item.discarding.abort();
    this.#options.drop(ref);
    withoutFocusLoss(item.element, () => item.element.remove(), this.#options.focusNext);
  }

  #create(unsent: Unsent): Item {
    const { bubbles, user: userOf } = this.#options;
    const user = userOf();
    const { text, replyTo, writtenAt: at } = unsent;
    const status = create("span", { class: "status" });
    // As it will be once it is stored, so that nothing moves then.
    const message = { status: "sent", cursor: "", user, name: bubbles.names.of(user), text, at };
    const element = createBubble({ ...message, replyTo } as StoredMessage, true, bubbles);
    delete element.dataset.cursor;
    element.removeAttribute("tabindex");
    element.classList.add("unsent");
    element.append(status);
    const discarding = new AbortController();
    const item = { unsent, element, status, isSending: false, isDoubtful: false, discarding };
    this.#items.set(unsent.ref, item);
    this.#list.append(element);
    this.group();
    this.#options.keep(unsent);
    return item;
  }

  #send(item: Item): void {
    const { unsent: { ref, text, replyTo }, element, discarding: { signal } } = item;
    const actions = element.querySelector<HTMLElement>(".actions");
    item.isSending = true;
    element.classList.remove("failed");
    if (actions) withoutFocusLoss(actions, () => actions.remove(), this.#options.focusNext);
    this.#showSending(item);
    this.#options.send(text, { ref, replyTo, signal }).then(
      () => this.#options.onStored(ref),
      (error) => {
        if (this.#items.get(ref) !== item) return;
        const why = sentence(`Not sent: ${error instanceof Error ? error.message : String(error)}`);
        this.#stop(item, why, "Try again");
        this.#options.announce(why);
      },
    );
  }

  /** Says whether a message is on its way, and keeps in mind when it may have arrived. */
  #showSending(item: Item): void {
    if (!item.isSending) return;
    setText(item.status, this.#isLive ? "Sending…" : "Waiting");
    item.status.title = this.#isLive ? "" : "It is sent once there is a connection";
    if (!this.#isLive) return;
    item.unsent = { ...item.unsent, triedAt: Date.now() };
    this.#options.keep(item.unsent);
  }

  /** Leaves it to the reader what becomes of a message. */
  #stop(item: Item, status: string, again: string): void {
    item.isSending = false;
    item.element.classList.add("failed");
    setText(item.status, status);
    const retry = createButton(again, () => this.#send(item));
    const discard = createButton("Discard", () => this.settle(item.unsent.ref));
    item.element.querySelector(".actions")?.remove();
    item.element.append(create("div", { class: "actions" }, retry, discard));
  }
}
