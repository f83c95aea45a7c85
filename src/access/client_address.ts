/**
 * The address that a request comes from, to count by.
 *
 * @module
 */

import ipaddr from "ipaddr.js";
import { HEADER_MAX_LENGTH } from "./request_header.ts";
import { checkInteger } from "../protocol/checks.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What `Deno.serve` says about a request besides the request itself. */
export interface ConnectionInfo {
  /** The other end of the TCP connection. */
  readonly remoteAddr: {
    readonly transport: string;
    readonly hostname?: string;
    readonly port?: number;
  };
  /** Settles when the answer was sent, or cannot be; Deno 2.5 does not have it. */
  readonly completed?: Promise<void>;
}

/** Bits of an IPv6 address that name a network: what one customer gets at least (RFC 6177). */
const NETWORK_BITS = 64;

/** Addresses that are remembered as they were read, which takes some microseconds. */
const KNOWN_MAX = 4_096;

/** The most proxies that may stand in front. */
const PROXIES_MAX = 100;

/** The options of {@linkcode ClientAddresses}. */
export interface ClientAddressesOptions {
  /** Proxies in front that add to `X-Forwarded-For`. @default {0} */
  readonly proxies?: number;
  /** Receives a warning if there seems to be a proxy that nobody said is there. */
  readonly logger: Logger;
}

/**
 * Reads the addresses of requests, and warns once of a proxy that is not configured: its address is
 * then that of everybody.
 *
 * @example
 * ```ts
 * import { ClientAddresses } from "./client_address.ts";
 *
 * const addresses = new ClientAddresses({ proxies: 1, logger() {} });
 * const headers = { "x-forwarded-for": "192.0.2.7" };
 * console.log(addresses.of(new Request("http://localhost/", { headers }), undefined)); // 192.0.2.7
 * ```
 */
export class ClientAddresses {
  readonly #proxies: number;
  readonly #logger: Logger;
  /** What was found for the other ends of connections. */
  readonly #known = new Map<string, string | undefined>();
  #hasWarned = false;

  /**
   * Creates a reader of addresses.
   *
   * @param options How many proxies there are.
   * @throws {RangeError} If that is no whole number from 0 to 100.
   */
  constructor({ proxies = 0, logger }: ClientAddressesOptions) {
    checkInteger("proxies", proxies, { max: PROXIES_MAX });
    this.#proxies = proxies;
    this.#logger = logger;
  }

  /**
   * The address or network that a request comes from, as {@linkcode addressOf} reads it.
   *
   * @param request The request.
   * @param info What `Deno.serve` says about it.
   * @returns The address, if there is one.
   */
  of(request: Request, info: ConnectionInfo | undefined): string | undefined {
    const address = this.#proxies === 0
      ? this.#ofPeer(info?.remoteAddr.hostname ?? "")
      : addressOf(request, info, this.#proxies);
    if (this.#proxies === 0 && !this.#hasWarned && request.headers.has("x-forwarded-for")) {
      this.#hasWarned = true;
      const message =
        "A request came with X-Forwarded-For, but HUBBUB_PROXIES is not set: behind " +
        "a proxy, everybody would share the limits of the proxy's address";
      this.#logger("warn", "proxy_not_configured", { message, address });
    }
    return address;
  }

  #ofPeer(hostname: string): string | undefined {
    if (this.#known.has(hostname)) return this.#known.get(hostname);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    const address = networkOf(hostname);
    this.#known.set(hostname, address);
    return address;
  }
}

/**
 * The IPv4 address that a request comes from, or its IPv6 network (/64).
 *
 * @param request The request.
 * @param info What `Deno.serve` says about it.
 * @param proxies How many proxies in front of this server add to `X-Forwarded-For`. Each adds the
 * address that it saw at the end, so what a client claims itself stands before those and is not
 * believed.
 * @returns The address or the network; undefined where there is none, as on a Unix socket.
 *
 * @example
 * ```ts
 * import { addressOf } from "./client_address.ts";
 *
 * const info = { remoteAddr: { transport: "tcp", hostname: "2001:db8::7" } };
 * console.log(addressOf(new Request("http://localhost/"), info, 0)); // 2001:db8::/64
 * ```
 */
export function addressOf(
  request: Request,
  info: ConnectionInfo | undefined,
  proxies: number,
): string | undefined {
  if (proxies > 0) {
    // The addresses that count stand at the end, whatever a client has put before them.
    const header = (request.headers.get("x-forwarded-for") ?? "").slice(-HEADER_MAX_LENGTH);
    const forwarded = header.split(",");
    const address = networkOf(forwarded.at(-proxies)?.trim() ?? "");
    if (address !== undefined) return address;
  }
  return networkOf(info?.remoteAddr.hostname ?? "");
}

/**
 * Whether an address is this machine's own.
 *
 * @param address What {@linkcode addressOf} returned.
 * @returns True for 127.0.0.0/8 and the network of `::1`.
 */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === `::/${NETWORK_BITS}`;
}

/**
 * Whose share of the memory for what is not read yet a request uses: its address's. This machine's
 * own addresses are those of proxies, where each connection has a share of its own.
 *
 * @param address What {@linkcode addressOf} returned.
 * @param info What `Deno.serve` says about the request.
 * @returns A name to count by; undefined where no address is known.
 */
export function shareOf(
  address: string | undefined,
  info: ConnectionInfo | undefined,
): string | undefined {
  if (address === undefined || !isLoopback(address)) return address;
  return `${address} ${info?.remoteAddr.port}`;
}

/** Reads an address with or without a port, brackets or a zone. */
function networkOf(text: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d+)?|(.*))$/s.exec(text) ?? [];
  const [, ipv4] = /^([\d.]+):\d+$/.exec(plain ?? "") ?? [];
  const address = (bracketed ?? ipv4 ?? plain ?? "").replace(/%[\w.-]+$/, "");
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return address;
  if (!ipaddr.IPv6.isValid(address)) return undefined;
  const ipv6 = ipaddr.IPv6.parse(address);
  if (ipv6.isIPv4MappedAddress()) return ipv6.toIPv4Address().toString();
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${ipv6}/${NETWORK_BITS}`);
  return `${network}/${NETWORK_BITS}`;
}
