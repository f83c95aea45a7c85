/**
 * Signs that a connection may have died unseen.
 *
 * @module
 */

/** What {@linkcode watchWake} calls. */
export interface WakeHandlers {
  /** Called when the page, the machine or the network may have been asleep until now. */
  readonly onWake: () => void;
  /** Called when the network is said to be gone. */
  readonly onOffline: () => void;
}

/** What a page offers of `document`. */
interface PageDocument extends EventTarget {
  readonly visibilityState: string;
}

/**
 * Watches the events by which a browser tells that a page was asleep, hidden or without a network:
 * timers and sockets stand still meanwhile. Elsewhere these events never come.
 *
 * @param handlers What to call.
 * @param signal Ends it, and leaves no listener behind.
 */
export function watchWake(handlers: WakeHandlers, signal: AbortSignal): void {
  const { onWake, onOffline } = handlers;
  const { addEventListener, document } = globalThis as {
    addEventListener?: typeof globalThis.addEventListener;
    document?: PageDocument;
  };
  const once = { signal };
  // Node has no events of its own kind at the top.
  addEventListener?.call(globalThis, "online", onWake, once);
  addEventListener?.call(globalThis, "offline", onOffline, once);
  addEventListener?.call(globalThis, "pageshow", onWake, once);
  document?.addEventListener("resume", onWake, once);
  document?.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") onWake();
  }, once);
}
