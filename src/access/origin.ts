/**
 * From which web pages a request may come.
 *
 * @module
 */

/**
 * Tells whether a browser's request comes from a page that may make it. What comes from no page
 * has no `Origin` and passes: the check keeps foreign pages from using their visitors' browsers.
 *
 * The server's own origin is known by the host of the request alone, since a proxy may have taken
 * TLS off.
 *
 * @param request The request.
 * @param allowed Other origins that may, as browsers write them: `https://example.com`.
 * @returns True where it may.
 */
export function isOriginAllowed(request: Request, allowed: readonly string[]): boolean {
  const origin = request.headers.get("origin");
  if (origin === null || allowed.includes(origin)) return true;
  if (!isOrigin(origin)) return false;
  const host = request.headers.get("host") ?? new URL(request.url).host;
  return sameHost(origin, host);
}

/**
 * Tells whether a text is the origin of a web page, in the one form that browsers write.
 *
 * @param text The text.
 * @returns True for `https://example.com`, `http://localhost:8000`; not with a path, or for `null`.
 */
export function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function sameHost(origin: string, host: string): boolean {
  const { protocol, host: expected } = new URL(origin);
  // The origin's scheme decides which port may be left out.
  const url = `${protocol}//${host}`;
  return URL.canParse(url) && new URL(url).host === expected;
}
