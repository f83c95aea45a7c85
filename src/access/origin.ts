/**
 * The origins of web pages that may use a server.
 *
 * @module
 */

import { checkList } from "../protocol/checks.ts";
import { httpError } from "./http_error.ts";

/** A scheme and a host without a path, as browsers write the origins of apps: `capacitor://localhost`. */
const APP_ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9_.-]+(:\d{1,5})?$/;
/** Characters of an origin or a host that an error shows. */
const SHOWN_MAX = 100;
/** Names below a domain, to which `*.` stands for: letters as in the URL parser's hosts. */
const SUBDOMAINS = /^([a-z0-9_-]+\.)+$/;

/**
 * The origins whose pages may use a server: its own, and those given. A request of a program has no
 * `Origin` and passes: the check keeps foreign pages from using their visitors' browsers.
 *
 * @example
 * ```ts
 * import { AllowedOrigins } from "./origin.ts";
 *
 * const origins = new AllowedOrigins(["capacitor://localhost", "https://*.example.com"]);
 * origins.includes("https://app.example.com"); // true
 * origins.includes("https://example.com"); // false: `*` stands for at least one name
 * ```
 */
export class AllowedOrigins {
  readonly #origins: readonly string[];

  /**
   * Creates the list.
   *
   * @param origins Origins as browsers write them, and patterns such as `https://*.example.com`,
   * whose `*` stands for one or more names below that domain.
   * @throws {TypeError} If one of them could never match.
   */
  constructor(origins: readonly string[]) {
    checkList("origins", origins);
    this.#origins = origins;
    for (const origin of origins) {
      const expected = expectedOrigin(origin);
      if (expected === undefined) continue;
      throw new TypeError(
        `Cannot use the origin ${JSON.stringify(origin)}: it must be ${expected}`,
      );
    }
  }

  /** Whether there are any besides the server's own. */
  get isEmpty(): boolean {
    return this.#origins.length === 0;
  }

  /**
   * Whether an origin is one of those given.
   *
   * @param origin The origin, as the browser sent it.
   * @returns True if it is.
   */
  includes(origin: string): boolean {
    return this.#origins.some((pattern) => {
      const [start, end] = pattern.split("*");
      if (end === undefined) return origin === pattern;
      const isLongEnough = origin.length > start.length + end.length;
      if (!isLongEnough || !origin.startsWith(start) || !origin.endsWith(end)) return false;
      return SUBDOMAINS.test(origin.slice(start.length, origin.length - end.length + 1));
    });
  }

  /**
   * Checks the origin of the page that a request comes from, if it comes from one. The server's own
   * is known by the host of the request alone, since a proxy may have taken TLS off.
   *
   * @param request The request.
   * @throws {HttpError} If its origin is neither the server's own nor one of those given.
   */
  check(request: Request): void {
    const origin = request.headers.get("origin");
    if (origin === null || this.includes(origin) || isOwnOrigin(origin, request)) return;
    const { host } = new URL(request.url);
    throw httpError(
      "forbidden",
      `Pages of ${shown(origin)} may not use this server, which was asked as ${shown(host)}: ` +
        "is that origin missing in HUBBUB_ORIGINS, or does a proxy in front change Host?",
    );
  }
}

/**
 * Checks that an origin, or a pattern of origins, is in the one form in which browsers send it, so
 * that none is accepted that never matches.
 *
 * @param text `https://example.com`, `http://localhost:8000`, `capacitor://localhost`, or a pattern
 * such as `https://*.example.com`.
 * @returns What it must be instead; undefined if it is right.
 */
export function expectedOrigin(text: string): string | undefined {
  if (typeof text !== "string") return "a text";
  const form = 'an origin like "https://example.com" or "https://*.example.com", without a path';
  const plain = text.replace("://*.", "://");
  if (plain.includes("*")) return form;
  if (text !== plain) {
    const isDomain = isWebOrigin(plain) && /\.[a-z]|^localhost$/.test(new URL(plain).hostname);
    return isDomain ? undefined : form;
  }
  if (isWebOrigin(text)) return undefined;
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) {
    const { origin, pathname, search, hash, username } = new URL(text);
    // Near enough to say what was meant.
    const isNear = pathname === "/" && search + hash + username === "";
    return isNear ? `"${origin}", as browsers write it` : form;
  }
  return !/^https?:/.test(text) && APP_ORIGIN.test(text) ? undefined : form;
}

function isOwnOrigin(origin: string, request: Request): boolean {
  if (!isWebOrigin(origin)) return false;
  const { protocol, host: expected } = new URL(origin);
  // The origin's scheme decides which port may be left out.
  const url = `${protocol}//${new URL(request.url).host}`;
  return URL.canParse(url) && new URL(url).host === expected;
}

/** A part of a request in an error: anybody may have written it, and made it long. */
function shown(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}

/** Whether a text is the origin of a web page in the one form that browsers write. */
function isWebOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
