/**
 * The hosts that requests may be for.
 *
 * @module
 */

import { checkList } from "../protocol/checks.ts";
import { httpError } from "./http_error.ts";

/** This machine, under the names and addresses that only it has. */
const LOOPBACK_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const LABEL = "[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?";
const HOST_PATTERN = new RegExp(`^(\\*\\.)?(${LABEL}\\.)*${LABEL}$`);

/**
 * Whether a host is this machine's own: `localhost`, an address of 127.0.0.0/8, or `[::1]`.
 *
 * @param host The host as the URL parser writes it, or a bare IPv6 address; no port.
 * @returns True for a loopback host.
 *
 * @example
 * ```ts
 * import { isLoopbackHost } from "./host.ts";
 *
 * isLoopbackHost("localhost"); // true
 * isLoopbackHost("localhost.example.com"); // false
 * ```
 */
export function isLoopbackHost(host: string): boolean {
  const text = host.toLowerCase();
  const url = `http://${text.includes(":") && !text.startsWith("[") ? `[${text}]` : text}`;
  return URL.canParse(url) && LOOPBACK_HOST.test(new URL(url).hostname);
}

/**
 * The hosts that a server serves. A page elsewhere can point its own name at 127.0.0.1, and is then
 * of the same origin as a server there (DNS rebinding): only the host of its requests tells.
 *
 * @example
 * ```ts
 * import { AllowedHosts } from "./host.ts";
 *
 * const hosts = new AllowedHosts(["*.example.com"]);
 * hosts.includes("chat.example.com"); // true
 * hosts.includes("localhost"); // true: this machine's own names always are
 * hosts.includes("rebind.example"); // false
 * ```
 */
export class AllowedHosts {
  readonly #hosts: readonly string[] | undefined;

  /**
   * Creates the list.
   *
   * @param hosts Names such as `chat.example.com`, and patterns such as `*.example.com`, besides
   * this machine's own; undefined for any host.
   * @throws {TypeError} If one of them is no host.
   */
  constructor(hosts: readonly string[] | undefined) {
    checkList("hosts", hosts);
    this.#hosts = hosts?.map((text) => {
      const host = parseHost(text);
      if (host !== undefined) return host;
      const form = 'it must be a name like "chat.example.com" or "*.example.com", without a port';
      throw new TypeError(`Cannot use the host ${JSON.stringify(text)}: ${form}`);
    });
  }

  /**
   * Whether a host is one of this list.
   *
   * @param host The host as the URL parser writes it, without port.
   * @returns True if it is.
   */
  includes(host: string): boolean {
    if (this.#hosts === undefined || LOOPBACK_HOST.test(host)) return true;
    // "example.com." is the same name, with the root written out.
    const name = host.replace(/\.$/, "");
    return this.#hosts.some((pattern) =>
      pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) : name === pattern
    );
  }

  /**
   * Checks the host that a request is for. Must come first: what follows needs a URL that is one.
   *
   * @param request The request.
   * @throws {HttpError} If its host is malformed, or not one of this list.
   */
  check(request: Request): void {
    // HTTP/2 has no header "host"; and what the parser says about a bad one holds the whole address.
    if (!URL.canParse(request.url)) throw httpError("bad_host", "The request has no valid host");
    const { hostname } = new URL(request.url);
    if (this.includes(hostname)) return;
    const message = `This server does not serve the host "${hostname}". ` +
      "Its operator can allow it with HUBBUB_HOSTS";
    throw httpError("misdirected", message);
  }
}

/**
 * Reads a host, or a pattern of hosts such as `*.example.com`.
 *
 * @param text The host, without scheme and port.
 * @returns The host as the URL parser writes it, or undefined if it is none.
 */
export function parseHost(text: string): string | undefined {
  if (typeof text !== "string") return undefined;
  const [, star = "", rest] = /^(\*\.)?(.*)$/s.exec(text) ?? [];
  const bare = rest.includes(":") && !rest.startsWith("[") ? `[${rest}]` : rest;
  if (/[/@?#\s\\%]|\]:|^$/.test(bare) || !URL.canParse(`http://${bare}`)) return undefined;
  const { hostname } = new URL(`http://${bare}`);
  const isAddress = hostname.startsWith("[") || /^[\d.]+$/.test(hostname);
  if (star !== "" && isAddress) return undefined;
  return isAddress || HOST_PATTERN.test(hostname) ? star + hostname : undefined;
}
