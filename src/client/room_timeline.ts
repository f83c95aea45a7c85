/**
 * The piece of a room's log that a client keeps.
 *
 * @module
 */

import { HISTORY_DEFAULT, type MessageChange } from "../protocol/mod.ts";
import type { RoomMessages } from "./room_messages.ts";
import { type Arrival, RoomSession, type RoomSessionOptions } from "./room_session.ts";
import { isChange, type StoredMessage } from "./room_state.ts";

/** How {@linkcode RoomTimeline} behaves. */
export interface RoomTimelineOptions extends Omit<RoomSessionOptions, "onRecord"> {
  /** The messages that are kept. */
  readonly messages: RoomMessages;
  /** Called with each message once, in the log's order, when it is kept. */
  readonly onMessage: (message: StoredMessage) => void;
  /** Called with each change once, in the log's order, when it is folded into its message. */
  readonly onMessageChange: (change: MessageChange) => void;
  /** Called when something of it has changed. */
  readonly onChange: () => void;
}

/**
 * The piece of a room's log that a client keeps: without a gap, up to what was stored last. It grows
 * at its end as messages come, at its beginning as older ones are loaded.
 */
export class RoomTimeline {
  /** The membership that brings what is live. */
  readonly session: RoomSession;
  readonly #options: RoomTimelineOptions;
  #hasOlder = false;
  /** Messages so far of the history that a newcomer gets. */
  #received: number | undefined;
  /** Calls of `loadOlder` that are under way. */
  #loads = 0;
  /** How often what was kept was given up, so that a page on its way no longer fits. */
  #restarts = 0;

  /** @param options The room, and what to call. */
  constructor(options: RoomTimelineOptions) {
    this.#options = options;
    this.session = new RoomSession({
      ...options,
      onRecord: (record) => isChange(record) ? this.#fold(record) : this.#append(record),
      onGap: () => {
        this.clear();
        options.onGap?.();
      },
      onArrive: (arrival) => this.#arrived(arrival),
    });
  }

  /** Whether there may be messages before the first one. */
  get hasOlder(): boolean {
    return this.#hasOlder;
  }

  /** Whether older messages are being loaded. */
  get isLoading(): boolean {
    return this.#loads > 0;
  }

  /**
   * Begins a stay in the room.
   *
   * @returns What the hub is to send first: a newcomer's history, or what was missed.
   */
  enter(): { readonly after: string | undefined; readonly history: number } {
    const { cursor: after } = this.session;
    this.#received = after === undefined ? 0 : undefined;
    // A resumed stay needs what was missed, not what was seen.
    return { after, history: after === undefined ? this.#options.historyLength() : 0 };
  }

  /** The stay has ended; another one may come. */
  lost(): void {
    // Of a history that came in part, the older part may be what is missing.
    if (this.#received !== undefined) this.#hasOlder = true;
    this.#received = undefined;
    this.session.lost();
  }

  /** Forgets everything: the next stay is that of a newcomer. */
  reset(): void {
    this.clear();
    this.session.restart();
    this.#hasOlder = false;
  }

  /** Gives up what is kept: what comes next does not follow it. */
  clear(): void {
    this.#restarts++;
    this.#options.messages.clear();
    this.session.forgetBefore(undefined);
    this.#hasOlder = true;
    this.#options.onChange();
  }

  /**
   * Reads the messages before the oldest one that is kept, and keeps them.
   *
   * @param limit How many at most.
   * @returns Oldest first; empty at the beginning of the room.
   */
  async loadOlder(limit: number): Promise<StoredMessage[]> {
    const { messages, onChange } = this.#options;
    this.#loads++;
    const restarts = this.#restarts;
    try {
      messages.beginLoad(limit);
      const older = await this.session.loadOlder(limit);
      if (restarts === this.#restarts) {
        messages.prepend(older);
        this.#hasOlder = older.length > 0;
        onChange();
      } else this.session.forgetBefore(messages.oldest);
      return older;
    } finally {
      this.#loads--;
      messages.endLoad();
    }
  }

  /**
   * Erases what a user wrote so far.
   *
   * @param user The user.
   */
  erase(user: string): void {
    const { messages, member, onChange } = this.#options;
    messages.erase(user, member().user);
    onChange();
  }

  #append(message: StoredMessage): void {
    const { messages, onMessage, onChange } = this.#options;
    if (this.#received !== undefined) this.#received++;
    if (messages.append(message)) {
      this.#hasOlder = true;
      this.session.forgetBefore(messages.oldest);
    }
    messages.passed(message.cursor);
    onChange();
    onMessage(message);
  }

  #fold(change: MessageChange): void {
    const { messages, member, onMessageChange, onChange } = this.#options;
    messages.fold(change, member().user);
    messages.passed(change.cursor);
    onChange();
    onMessageChange(change);
  }

  #arrived(arrival: Arrival): void {
    const { historyLength, messages, onArrive } = this.#options;
    // A page is bounded in bytes, but never shorter than this where there is more.
    const least = Math.min(historyLength(), HISTORY_DEFAULT);
    if (this.#received !== undefined) this.#hasOlder = this.#received >= least;
    this.#received = undefined;
    messages.passed(this.session.cursor);
    onArrive(arrival);
  }
}
