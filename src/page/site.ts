/**
 * The addresses of the page.
 *
 * @module
 */

/**
 * The server that the page came from. It may be mounted under any path: all addresses are derived
 * from that of the page's own script.
 */
export class Site {
  /** The server's base URL, with a slash at its end. */
  readonly base: URL;

  /** @param script The URL of the page's script: `{base}/assets/page.js`. */
  constructor(script: string) {
    this.base = new URL("..", script);
  }

  /**
   * Finds the room that an address leads to.
   *
   * @param pathname The path of a page, such as `/r/lobby`.
   * @returns The part of the path after `r/`, or an empty string for other pages.
   */
  roomIn(pathname: string): string {
    const { pathname: base } = this.base;
    const path = pathname.startsWith(base) ? pathname.slice(base.length) : "";
    return path.match(/^r\/([^/]+)\/?$/)?.[1] ?? "";
  }

  /**
   * Makes the address of a room's page, which is an invitation.
   *
   * @param room The room's name.
   * @returns The URL.
   */
  pageOf(room: string): string {
    return `${this.base.href}r/${room}`;
  }

  /**
   * Makes the address of a room for programs.
   *
   * @param room The room's name.
   * @param path What follows: empty, or such as `/messages`.
   * @returns The URL.
   */
  endpointOf(room: string, path = ""): string {
    return `${this.base.href}rooms/${room}${path}`;
  }

  /**
   * Fixes the relative addresses in the document, so that they stay right when the address of the
   * page changes without a new page.
   */
  fixAddresses(): void {
    for (const element of document.querySelectorAll<HTMLAnchorElement>("a[href]")) {
      element.href = `${element.href}`;
    }
    for (const element of document.querySelectorAll<HTMLLinkElement>("link[rel=manifest]")) {
      element.href = `${element.href}`;
    }
  }
}
