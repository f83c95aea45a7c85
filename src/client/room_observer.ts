/**
 * Events of a room.
 *
 * @module
 */

import type { MessageChange, PresentUser, Role } from "../protocol/mod.ts";
import type { ChatError } from "./chat_error.ts";
import type { StoredMessage } from "./room_state.ts";

/** How the hub has let the member in. */
export interface Arrived {
  /** The place in the log up to which the member has everything. */
  readonly cursor: string;
  /** False where messages from before may be lost. */
  readonly recovered: boolean;
  /** How many users are in the room. */
  readonly user_count: number;
  /** The first of them. */
  readonly users: readonly PresentUser[];
  /** The other users who are typing. */
  readonly typing: readonly string[];
  /** What the member may do. */
  readonly role: Role;
}

/** What is called with the events of a room, in their order; snapshots show where they led to. */
export interface RoomObserver {
  /** Called with each message of the log once, in its order. */
  readonly onMessage?: (message: StoredMessage) => void;
  /**
   * Called with each change of a message once, in the log's order, and the message as it is then;
   * undefined where it is not kept.
   */
  readonly onMessageChange?: (change: MessageChange, message: StoredMessage | undefined) => void;
  /** Called when all that a user wrote so far was erased, and is gone from what is kept. */
  readonly onErased?: (user: string) => void;
  /** Called when everything that was missed was handed on; then what is live is. */
  readonly onArrive?: (joined: Arrived) => void;
  /** Called when users came or went. */
  readonly onPresence?: (presence: {
    readonly joined: readonly PresentUser[];
    readonly left: readonly string[];
  }) => void;
  /** Called when another user began or stopped typing. */
  readonly onTyping?: (typing: { readonly user: string; readonly status: boolean }) => void;
  /** Called when the users, or those who type, are others than before. */
  readonly onUsers?: () => void;
  /** Called when what is unread may have changed. */
  readonly onUnread?: () => void;
  /** Called when the status may have changed. */
  readonly onStatus?: () => void;
  /** Called when the hub wants no further try. */
  readonly onClosed?: (error: ChatError) => void;
}

/** Several observers as one. */
export class RoomObservers implements Required<RoomObserver> {
  readonly onMessage: Required<RoomObserver>["onMessage"] = (message) =>
    this.#each(({ onMessage }) => onMessage?.(message));
  readonly onMessageChange: Required<RoomObserver>["onMessageChange"] = (change, message) =>
    this.#each(({ onMessageChange }) => onMessageChange?.(change, message));
  readonly onErased = (user: string): void => this.#each(({ onErased }) => onErased?.(user));
  readonly onArrive: Required<RoomObserver>["onArrive"] = (joined) =>
    this.#each(({ onArrive }) => onArrive?.(joined));
  readonly onPresence: Required<RoomObserver>["onPresence"] = (presence) =>
    this.#each(({ onPresence }) => onPresence?.(presence));
  readonly onTyping: Required<RoomObserver>["onTyping"] = (typing) =>
    this.#each(({ onTyping }) => onTyping?.(typing));
  readonly onUsers = (): void => this.#each(({ onUsers }) => onUsers?.());
  readonly onUnread = (): void => this.#each(({ onUnread }) => onUnread?.());
  readonly onStatus = (): void => this.#each(({ onStatus }) => onStatus?.());
  readonly onClosed: Required<RoomObserver>["onClosed"] = (error) =>
    this.#each(({ onClosed }) => onClosed?.(error));
  readonly #observers: Set<RoomObserver>;

  /** @param first The first of them. */
  constructor(first: RoomObserver) {
    this.#observers = new Set([first]);
  }

  /**
   * Adds an observer.
   *
   * @param observer What to call from now on.
   * @returns Takes it away again.
   */
  add(observer: RoomObserver): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  #each(call: (observer: RoomObserver) => void): void {
    for (const observer of [...this.#observers]) call(observer);
  }
}
