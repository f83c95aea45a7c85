/**
 * Signs that a connection may have died unseen.
 *
 * @module
 */

import { pageGlobals } from "./page_globals.ts";

/** What {@linkcode watchWake} calls. */
export interface WakeHandlers {
  /** Called when the page, the machine or the network may have been asleep until now. */
  readonly onWake: () => void;
  /** Called when the network is said to be gone. */
  readonly onOffline: () => void;
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
  const page = pageGlobals();
  const options = { signal };
  page.addEventListener?.("online", onWake, options);
  page.addEventListener?.("offline", onOffline, options);
  page.addEventListener?.("pageshow", onWake, options);
  const { document } = page;
  document?.addEventListener("resume", onWake, options);
  document?.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") onWake();
  }, options);
}
