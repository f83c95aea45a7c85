/**
 * What a browser's page offers beside the APIs that all platforms share.
 *
 * @module
 */

/** The globals of a page; elsewhere they are missing. */
export interface PageGlobals {
  /** Where the page is. */
  readonly location?: { readonly href: string; readonly origin: string };
  /** The page. */
  readonly document?: EventTarget & { readonly visibilityState: string };
  /** Adds a listener to the window. */
  readonly addEventListener?: (
    type: string,
    listener: () => void,
    options: { readonly signal: AbortSignal },
  ) => void;
}

/**
 * Gives the globals of a page.
 *
 * @returns The global object, of which everything may be missing.
 */
export function pageGlobals(): PageGlobals {
  return globalThis as PageGlobals;
}
