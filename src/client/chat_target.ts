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
  // The types of listeners and options are those of EventTarget, whose names differ by platform.
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
    options?: Parameters<EventTarget["addEventListener"]>[2],
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
    listener: Parameters<EventTarget["addEventListener"]>[1],
    options?: Parameters<EventTarget["addEventListener"]>[2],
  ): void;
  override addEventListener(
    type: string,
    listener: unknown,
    options?: Parameters<EventTarget["addEventListener"]>[2],
  ): void {
    type Listener = Parameters<EventTarget["addEventListener"]>[1];
    super.addEventListener(type, listener as Listener, options);
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
    options?: Parameters<EventTarget["removeEventListener"]>[2],
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
    listener: Parameters<EventTarget["removeEventListener"]>[1],
    options?: Parameters<EventTarget["removeEventListener"]>[2],
  ): void;
  override removeEventListener(
    type: string,
    listener: unknown,
    options?: Parameters<EventTarget["removeEventListener"]>[2],
  ): void {
    type Listener = Parameters<EventTarget["removeEventListener"]>[1];
    super.removeEventListener(type, listener as Listener, options);
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
