/**
 * What became of a message since it was sent.
 *
 * @module
 */

import type { JsonObject, Reaction } from "../protocol/mod.ts";
import { REACTION_USERS_LISTED_MAX } from "../protocol/mod.ts";
import { CHANGED, FIRST_USE, type MessageChangeRecord } from "./change.ts";
import type { StateItem } from "./change_entry.ts";

/**
 * UTF-16 code units of users' names that a message lists, for all of its reactions: ten messages with
 * a thousand reactions of long names would be 3 MB.
 */
const LISTED_LENGTH_MAX = 16_384;
/** A cursor after all others. */
const END = "~";

/**
 * What changes come to, in the order of the log: by hand one after the other, or from the states that
 * a store keeps. Both come to the same.
 *
 * @example
 * ```ts
 * import { MessageState } from "./message_state.ts";
 *
 * const message = "0".repeat(20);
 * const state = new MessageState();
 * const change = { id: "1", user: "ann", at: 0, message, emoji: "👍", status: true } as const;
 * state.apply({ ...change, kind: "reaction", cursor: "1".repeat(20) });
 * console.log(state.reactions()); // [{ emoji: "👍", count: 1, users: ["ann"] }]
 * ```
 */
export class MessageState {
  #changed = "";
  #text: string | undefined;
  #data: JsonObject | null | undefined;
  #editedAt: number | undefined;
  #isDeleted = false;
  /** Whether the store still holds something of it besides that it was changed or deleted. */
  #hasContent = false;
  /** By emoji and user, the place of the change. */
  readonly #reactions = new Map<string, Map<string, string>>();
  /** By emoji, the place since which somebody reacts so. */
  readonly #starts = new Map<string, string>();
  #reactionCount = 0;

  /**
   * Makes the state that a store keeps.
   *
   * @param items The states of one message.
   * @returns What they come to.
   */
  static of(items: readonly StateItem[]): MessageState {
    const state = new MessageState();
    let editedAt = "";
    let hasContent = false;
    const starts = new Map<string, string>();
    for (const { name: [kind, emoji, user], value, cursor } of items) {
      if (cursor > state.#changed) state.#changed = cursor;
      if (kind === CHANGED) continue;
      if (kind === "deleted") {
        state.#isDeleted = true;
        continue;
      }
      hasContent = true;
      if (kind === "reaction") state.#react(emoji, user, cursor);
      if (kind === FIRST_USE) starts.set(emoji, cursor);
      if (kind !== "text" && kind !== "data") continue;
      const { at, ...edit } = JSON.parse(value) as { at: number; text?: string; data?: JsonObject };
      if (kind === "text") state.#text = edit.text;
      else state.#data = edit.data;
      if (cursor < editedAt) continue;
      editedAt = cursor;
      state.#editedAt = at;
    }
    // Two isolates may have made the first use at once: the earlier one counts.
    for (const [emoji, users] of state.#reactions) {
      const [first] = [...users.values(), starts.get(emoji) ?? END].sort();
      state.#starts.set(emoji, first);
    }
    state.#hasContent = hasContent;
    if (state.#isDeleted) state.erase();
    return state;
  }

  /** The cursor of the last change. */
  get changed(): string {
    return this.#changed;
  }

  /** The text of the last edit of it; undefined where it was not edited. */
  get text(): string | undefined {
    return this.#text;
  }

  /** The data of the last edit of it, null where it was taken away; undefined where it stayed. */
  get data(): JsonObject | null | undefined {
    return this.#data;
  }

  /** When it was edited last, in milliseconds since the epoch. */
  get editedAt(): number | undefined {
    return this.#editedAt;
  }

  /** Whether it was deleted: nothing else of it is left then. */
  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  /** Whether it was deleted, and the store still holds something of it. */
  get hasLeftovers(): boolean {
    return this.#isDeleted && this.#hasContent;
  }

  /** How many reactions there are, of all users together. */
  get reactionCount(): number {
    return this.#reactionCount;
  }

  /** How many kinds of reactions there are. */
  get reactionKinds(): number {
    return this.#reactions.size;
  }

  /**
   * Whether a user reacts in some way.
   *
   * @param emoji What the reaction shows.
   * @param user The user.
   * @returns True if so.
   */
  hasReaction(emoji: string, user: string): boolean {
    return this.#reactions.get(emoji)?.has(user) ?? false;
  }

  /**
   * How many users react in some way.
   *
   * @param emoji What the reaction shows.
   * @returns The number.
   */
  countOf(emoji: string): number {
    return this.#reactions.get(emoji)?.size ?? 0;
  }

  /**
   * Whether somebody reacts in some way.
   *
   * @param emoji What the reaction shows.
   * @returns True if so.
   */
  hasKind(emoji: string): boolean {
    return this.#reactions.has(emoji);
  }

  /**
   * Folds the next change in. One that is in it already is passed over.
   *
   * @param change The change.
   */
  apply(change: MessageChangeRecord): void {
    const { cursor, at, kind, user, text, data, emoji = "", status } = change;
    if (cursor <= this.#changed) return;
    this.#changed = cursor;
    if (this.#isDeleted) return;
    switch (kind) {
      case "edit":
        // What it said was erased: then the deletion follows.
        if (text === undefined && data === undefined) return;
        this.#text = text ?? this.#text;
        if (data !== undefined) this.#data = data;
        this.#editedAt = at;
        return;
      case "delete":
        return this.erase();
      case "reaction":
        if (status) this.#react(emoji, user, cursor);
        else this.#unreact(emoji, user);
    }
  }

  /**
   * Lists the reactions in the order of their first use: a kind stays where it is for as long as
   * somebody reacts so, and comes last when it comes again.
   *
   * @param viewer The user who reads it; undefined where that is not known.
   * @param isWhole Whether all users are listed. @default {false} the first 50 at most
   * @returns One for each kind.
   */
  reactions(viewer?: string, isWhole = false): Reaction[] {
    const kinds = [...this.#reactions].map(([emoji, users]) => {
      const sorted = [...users].sort(([, one], [, other]) => one < other ? -1 : 1);
      return { emoji, users: sorted.map(([user]) => user), of: users };
    });
    const startOf = ({ emoji }: { readonly emoji: string }) => this.#starts.get(emoji)!;
    kinds.sort((one, other) => startOf(one) < startOf(other) ? -1 : 1);
    let left = isWhole ? Infinity : LISTED_LENGTH_MAX;
    const most = isWhole ? Infinity : REACTION_USERS_LISTED_MAX;
    return kinds.map(({ emoji, users, of }) => {
      const listed: string[] = [];
      for (const user of users) {
        if (listed.length === most || left < user.length) break;
        left -= user.length;
        listed.push(user);
      }
      const reaction: Reaction = { emoji, count: users.length, users: listed };
      return viewer !== undefined && of.has(viewer) ? { ...reaction, mine: true } : reaction;
    });
  }

  /**
   * Takes a user's reactions back.
   *
   * @param user The user.
   * @param before The place before which they stand.
   */
  forget(user: string, before: string): void {
    for (const [emoji, users] of this.#reactions) {
      const cursor = users.get(user);
      if (cursor !== undefined && cursor < before) this.#unreact(emoji, user);
    }
  }

  #react(emoji: string, user: string, cursor: string): void {
    let users = this.#reactions.get(emoji);
    if (!users) {
      this.#reactions.set(emoji, users = new Map());
      this.#starts.set(emoji, cursor);
    }
    if (!users.has(user)) this.#reactionCount++;
    users.set(user, cursor);
  }

  #unreact(emoji: string, user: string): void {
    const users = this.#reactions.get(emoji);
    if (!users?.delete(user)) return;
    this.#reactionCount--;
    if (users.size > 0) return;
    this.#reactions.delete(emoji);
    this.#starts.delete(emoji);
  }

  /** Leaves nothing of the message but that it was there. */
  erase(): void {
    this.#isDeleted = true;
    this.#text = this.#data = this.#editedAt = undefined;
    this.#reactions.clear();
    this.#starts.clear();
    this.#reactionCount = 0;
  }
}
