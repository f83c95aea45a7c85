/**
 * The user's own changes of messages that are not stored yet.
 *
 * @module
 */

import type { ChangeDraft } from "../protocol/mod.ts";
import type { ChatError } from "./chat_error.ts";
import { applyEffect } from "./message_fold.ts";
import type { PendingChange, StoredMessage } from "./room_state.ts";

/** A change, and what became of it. */
interface Entry {
  readonly draft: ChangeDraft & { readonly ref: string };
  change: PendingChange;
  /** Where it is stored, while its message has not come as far. */
  place: string | undefined;
  /** Gives it up. */
  readonly controller: AbortController;
}

/** The changes of one message, and the message as they leave it. */
interface Shown {
  entries: Entry[];
  base: StoredMessage | undefined;
  message: StoredMessage | undefined;
}

/** How {@linkcode PendingChanges} behaves. */
export interface PendingChangesOptions {
  /** Changes that failed and are kept. */
  readonly keepFailed: number;
  /** Whether a change is on its way; undefined where it no longer waits. */
  readonly isInFlight: (ref: string) => boolean | undefined;
}

/** The user's own changes that are not stored yet, shown in their messages meanwhile. */
export class PendingChanges {
  readonly #options: PendingChangesOptions;
  readonly #shown = new Map<string, Shown>();

  /** @param options How many. */
  constructor(options: PendingChangesOptions) {
    this.#options = options;
  }

  /** How many messages have some. */
  get size(): number {
    return this.#shown.size;
  }

  /**
   * Adds a change.
   *
   * @param draft The change.
   * @param controller Gives it up.
   */
  add(draft: Entry["draft"], controller: AbortController): void {
    const { kind, ref } = draft;
    const change: PendingChange = {
      kind,
      ref,
      status: "waiting",
      ...(draft.kind === "edit" && { text: draft.text, data: draft.data }),
      ...(draft.kind === "reaction" && { emoji: draft.emoji, reacts: draft.status }),
    };
    const shown = this.#shown.get(draft.cursor) ??
      { entries: [], base: undefined, message: undefined };
    // What failed before is taken back by what is tried now in its stead.
    const isSame = ({ change }: Entry) =>
      change.status === "failed" && change.kind === kind &&
      (draft.kind !== "reaction" || change.emoji === draft.emoji);
    const entry: Entry = { draft, change, place: undefined, controller };
    shown.entries = [...shown.entries.filter((other) => !isSame(other)), entry];
    shown.base = undefined;
    this.#shown.set(draft.cursor, shown);
  }

  /**
   * Notes where a change is stored. It is shown until its message has come as far.
   *
   * @param ref Its name.
   * @param place Its place.
   */
  settle(ref: string, place: string): void {
    for (const { entries } of this.#shown.values()) {
      for (const entry of entries) if (entry.draft.ref === ref) entry.place = place;
    }
  }

  /**
   * Removes changes that the log has passed.
   *
   * @param cursor How far it has come.
   */
  passed(cursor: string | undefined): void {
    if (cursor === undefined) return;
    this.#remove(({ place }) => place !== undefined && place <= cursor);
  }

  /**
   * Marks a change as failed; nothing happens where it was discarded.
   *
   * @param ref Its name.
   * @param error Why.
   */
  fail(ref: string, error: ChatError): void {
    const failed: Entry[] = [];
    for (const shown of this.#shown.values()) {
      for (const entry of shown.entries) {
        if (entry.draft.ref === ref) {
          entry.change = { ...entry.change, status: "failed", error };
          shown.base = undefined;
        }
        if (entry.change.status === "failed") failed.push(entry);
      }
    }
    const over = failed.slice(0, Math.max(0, failed.length - this.#options.keepFailed));
    if (over.length > 0) this.#remove((entry) => over.includes(entry));
  }

  /**
   * Takes the changes of a message out that failed.
   *
   * @param cursor The message.
   * @returns What they were to do, in their order.
   */
  takeFailed(cursor: string): ChangeDraft[] {
    const failed = this.#shown.get(cursor)?.entries.filter(hasFailed) ?? [];
    this.#remove((entry) => failed.includes(entry));
    return failed.map(({ draft }) => draft);
  }

  /**
   * Takes the changes of a message out that are not stored, and gives them up.
   *
   * @param cursor The message.
   */
  discard(cursor: string): void {
    const given = this.#shown.get(cursor)?.entries.filter(({ place }) => place === undefined) ?? [];
    this.#remove((entry) => given.includes(entry));
    for (const { controller } of given) controller.abort();
  }

  /** Notes of each change whether it is on its way; returns whether one is shown in another way. */
  update(): boolean {
    let hasChanged = false;
    for (const shown of this.#shown.values()) {
      for (const entry of shown.entries) {
        const isInFlight = this.#options.isInFlight(entry.draft.ref);
        if (isInFlight === undefined || hasFailed(entry)) continue;
        const status = isInFlight ? "sending" : "waiting";
        if (entry.change.status === status) continue;
        entry.change = { ...entry.change, status };
        shown.base = undefined;
        hasChanged = true;
      }
    }
    return hasChanged;
  }

  /**
   * Shows a message as the changes leave it.
   *
   * @param message The message as it is stored.
   * @param user The user's own name.
   * @returns The same object until something of it changes.
   */
  show(message: StoredMessage, user: string): StoredMessage {
    const shown = this.#shown.get(message.cursor);
    if (!shown) return message;
    if (shown.base === message && shown.message) return shown.message;
    let next = message;
    for (const entry of shown.entries) {
      const { kind, text, data, emoji, reacts: status } = entry.change;
      if (hasFailed(entry)) continue;
      next = applyEffect(next, { kind, user, text, data, emoji, status }, user);
    }
    const changes = Object.freeze(shown.entries.map(({ change }) => change));
    shown.base = message;
    return shown.message = { ...next, changes };
  }

  #remove(isGone: (entry: Entry) => boolean): void {
    for (const [cursor, shown] of this.#shown) {
      const left = shown.entries.filter((entry) => !isGone(entry));
      if (left.length === shown.entries.length) continue;
      shown.entries = left;
      shown.base = undefined;
      if (left.length === 0) this.#shown.delete(cursor);
    }
  }
}

function hasFailed({ change }: Entry): boolean {
  return change.status === "failed";
}
