/**
 * Event target with typed events.
 *
 * @module
 */

import type { ChatEvents } from "./chat_events.ts";

/**
 * An `EventTarget` with the events of {@linkcode ChatEvents}.
 *
 * @example
 * ```ts
 * import type { ChatTarget } from "@hubbub/hub/client";
 *
 * export function logTyping(chat: ChatTarget, signal: AbortSignal) {
 *   const listener = ({ detail }: { detail: { user: string; status: boolean } }) =>
 *     console.log(detail.user, detail.status ? "is typing" : "stopped");
 *   chat.addEventListener("typing", listener, { signal });
 * }
 * ```
 */
export class ChatTarget extends EventTarget {
  /**
   * Listens to one of the events in {@linkcode ChatEvents}.
   *
   * @param type Which.
   * @param listener Called with it.
   * @param options As for any `EventTarget`.
   */
  override addEventListener<Type extends keyof ChatEvents>(
    type: Type,
    listener: ((event: ChatEvents[Type]) => void) | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /**
   * Listens to an event.
   *
   * @param type Which.
   * @param listener Called with it.
   * @param options As for any `EventTarget`.
   */
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: ((event: never) => void) | EventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener as EventListener | null, options);
  }

  /**
   * Listens no more to one of the events in {@linkcode ChatEvents}.
   *
   * @param type Which.
   * @param listener What was given to `addEventListener`.
   * @param options As for any `EventTarget`.
   */
  override removeEventListener<Type extends keyof ChatEvents>(
    type: Type,
    listener: ((event: ChatEvents[Type]) => void) | null,
    options?: boolean | EventListenerOptions,
  ): void;
  /**
   * Listens no more to an event.
   *
   * @param type Which.
   * @param listener What was given to `addEventListener`.
   * @param options As for any `EventTarget`.
   */
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: ((event: never) => void) | EventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void {
    super.removeEventListener(type, listener as EventListener | null, options);
  }

  /**
   * Dispatches an event.
   *
   * @param type Which event it is.
   * @param detail What it says.
   */
  protected emit<Type extends keyof ChatEvents>(
    type: Type,
    detail: ChatEvents[Type]["detail"],
  ): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
