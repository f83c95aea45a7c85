/**
 * The messages of a room that a client keeps.
 *
 * @module
 */

import type { MessageChange } from "../protocol/mod.ts";
import type { ChatError } from "./chat_error.ts";
import { eraseUser, foldChange } from "./message_fold.ts";
import { PendingChanges } from "./pending_changes.ts";
import type { RoomMessage, StoredMessage } from "./room_state.ts";

/** One of the user's own messages that is not in the list of what is stored. */
interface Unsent {
  message: RoomMessage;
  /** Gives it up. */
  readonly controller: AbortController;
}

/** How {@linkcode RoomMessages} behaves. */
export interface RoomMessagesOptions {
  /** Gives how many stored messages are kept; more are where older ones were asked for. */
  readonly keep: () => number;
  /** Messages that failed and are kept. */
  readonly keepFailed: number;
  /** Whether a message is on its way; undefined where it no longer waits. */
  readonly isInFlight: (ref: string) => boolean | undefined;
}

/**
 * The messages of a room that a client keeps: a piece of the log without a gap, at most so long, and
 * the user's own messages that are not stored yet.
 */
export class RoomMessages {
  /** The user's own changes of messages that are not stored yet. */
  readonly pending: PendingChanges;
  readonly #options: RoomMessagesOptions;
  #stored: StoredMessage[] = [];
  readonly #unsent = new Map<string, Unsent>();
  /** Where those of them stand that are stored, and that the log has not come to. */
  readonly #placed = new Map<string, string>();
  #list: readonly RoomMessage[] | undefined;
  #room: number;
  #user = "";
  /** Pages on their way, and what happened since to messages that may be on one of them. */
  #loads = 0;
  #aside: MessageChange[] = [];
  #erased = new Set<string>();

  /** @param options How many. */
  constructor(options: RoomMessagesOptions) {
    this.#options = options;
    this.#room = options.keep();
    this.pending = new PendingChanges(options);
  }

  /** All messages, oldest first; the same list until one of them changes. */
  get list(): readonly RoomMessage[] {
    if (!this.#list) {
      const unsent = Array.from(this.#unsent.values(), ({ message }) => message);
      const stored = this.pending.size === 0
        ? this.#stored
        : this.#stored.map((message) => this.pending.show(message, this.#user));
      this.#list = Object.freeze([...stored, ...unsent]);
    }
    return this.#list;
  }

  /** The place of the oldest stored message. */
  get oldest(): string | undefined {
    return this.#stored[0]?.cursor;
  }

  /**
   * Adds the next message of the log.
   *
   * @param message The message.
   * @returns Whether the oldest had to go for it.
   */
  append(message: StoredMessage): boolean {
    this.#stored.push(message);
    if (message.ref !== undefined) this.#remove(message.ref);
    this.#list = undefined;
    if (this.#stored.length <= this.#room) return false;
    this.#stored.shift();
    return true;
  }

  /**
   * Adds the messages just before the oldest.
   *
   * @param messages The messages, oldest first.
   */
  prepend(messages: readonly StoredMessage[]): void {
    if (messages.length === 0) return;
    this.#stored.unshift(...messages);
    // What happened to them while they were on their way.
    for (const change of this.#aside) this.#foldInto(change, this.#user);
    const isOlder = (index: number) => index < messages.length;
    for (const user of this.#erased) this.#erase(user, this.#user, isOlder);
    this.#list = undefined;
  }

  /**
   * Makes room for older messages, which stay from now on, and are on their way.
   *
   * @param count How many.
   */
  beginLoad(count: number): void {
    this.#loads++;
    this.#room = Math.max(this.#room, this.#stored.length + count);
  }

  /** Those messages are here, or do not come. */
  endLoad(): void {
    if (--this.#loads > 0) return;
    this.#aside = [];
    this.#erased.clear();
  }

  /**
   * Erases what a user wrote so far, and the user's reactions.
   *
   * @param erased The user.
   * @param user The user's own name.
   */
  erase(erased: string, user: string): void {
    if (this.#loads > 0) this.#erased.add(erased);
    this.#erase(erased, user, () => true);
  }

  /**
   * Folds a stored change into its message, where that is here.
   *
   * @param change The change.
   * @param user The user's own name.
   */
  fold(change: MessageChange, user: string): void {
    if (this.#loads > 0) this.#aside.push(change);
    this.#foldInto(change, user);
  }

  /** Something of what is shown has changed. */
  changed(): void {
    this.#list = undefined;
  }

  /**
   * Finds a stored message, as it is shown.
   *
   * @param cursor Its place.
   * @returns The message; undefined where it is not kept.
   */
  find(cursor: string): StoredMessage | undefined {
    const message = this.#stored[this.#indexOf(cursor)];
    return message?.cursor === cursor ? this.pending.show(message, this.#user) : undefined;
  }

  /** Forgets what is stored: what comes next does not follow it. */
  clear(): void {
    this.#stored = [];
    this.#room = this.#options.keep();
    this.#list = undefined;
  }

  /**
   * Tells whether a message of the user's own is among those that are not stored.
   *
   * @param ref Its ref.
   * @returns The message; undefined where there is none.
   */
  unsent(ref: string): RoomMessage | undefined {
    return this.#unsent.get(ref)?.message;
  }

  /**
   * Adds a message of the user's own.
   *
   * @param message The message; with the ref of one that failed, it takes its place.
   * @param controller Gives it up.
   */
  add(message: RoomMessage & { readonly ref: string }, controller: AbortController): void {
    this.#unsent.set(message.ref, { message, controller });
    this.#list = undefined;
  }

  /**
   * Removes a message of the user's own that is not stored, and gives it up.
   *
   * @param ref Its ref.
   */
  discard(ref: string): void {
    const unsent = this.#unsent.get(ref);
    this.#remove(ref);
    unsent?.controller.abort();
  }

  /**
   * Notes where a message of the user's own was stored. It stays until the log has come as far.
   *
   * @param ref Its ref.
   * @param cursor Its place.
   */
  settle(ref: string, cursor: string): void {
    if (this.#unsent.has(ref)) this.#placed.set(ref, cursor);
  }

  /**
   * Removes messages of the user's own that the log has passed.
   *
   * @param cursor How far it has come.
   */
  passed(cursor: string | undefined): void {
    if (cursor === undefined) return;
    for (const [ref, place] of this.#placed) if (place <= cursor) this.#remove(ref);
    if (this.pending.size === 0) return;
    this.pending.passed(cursor);
    this.#list = undefined;
  }

  /**
   * Marks a message of the user's own as failed; nothing happens where it was discarded.
   *
   * @param ref Its ref.
   * @param error Why.
   */
  fail(ref: string, error: ChatError): void {
    const unsent = this.#unsent.get(ref);
    if (!unsent) return;
    unsent.message = { ...unsent.message, status: "failed", error };
    this.#list = undefined;
    const failed = [...this.#unsent].filter(([, { message }]) => message.status === "failed");
    const over = failed.length - this.#options.keepFailed;
    for (const [ref] of failed.slice(0, Math.max(0, over))) this.#remove(ref);
  }

  /**
   * Shows of each message whether it is on its way.
   *
   * @param user The user's name, which may not have been known before.
   */
  update(user: string): void {
    this.#user = user;
    if (this.pending.update()) this.#list = undefined;
    for (const [ref, unsent] of this.#unsent) {
      const { message } = unsent;
      const isInFlight = this.#options.isInFlight(ref);
      // One that was stored is on its way until it has its place.
      const status = isInFlight === undefined ? message.status : isInFlight ? "sending" : "waiting";
      if (message.status === status && message.user === user) continue;
      const { error: _, ...rest } = message;
      unsent.message = status === "failed" ? { ...message, user } : { ...rest, user, status };
      this.#list = undefined;
    }
  }

  #erase(erased: string, user: string, isMeant: (index: number) => boolean): void {
    this.#stored = this.#stored.map((message, index) => {
      return isMeant(index) ? eraseUser(message, erased, user) : message;
    });
    this.#list = undefined;
  }

  #foldInto(change: MessageChange, user: string): void {
    const index = this.#indexOf(change.message);
    const message = this.#stored[index];
    if (message?.cursor !== change.message) return;
    const folded = foldChange(message, change, user);
    if (folded === message) return;
    this.#stored[index] = folded;
    this.#list = undefined;
  }

  /** Where a message stands, or would stand. */
  #indexOf(cursor: string): number {
    let [low, high] = [0, this.#stored.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#stored[middle].cursor < cursor) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(ref: string): void {
    this.#placed.delete(ref);
    if (this.#unsent.delete(ref)) this.#list = undefined;
  }
}
