/**
 * Where a request comes from.
 *
 * @module
 */

/** What `Deno.serve` tells about a request besides the request itself. */
export interface ConnectionInfo {
  /** The other end of the TCP connection. */
  readonly remoteAddr: { readonly transport: string; readonly hostname?: string };
}

/**
 * Tells whose limits a request counts against: the IPv4 address it comes from, or the IPv6 network
 * (/64), which is what one customer gets at least.
 *
 * @param request The request.
 * @param info What `Deno.serve` says about it.
 * @param proxies How many proxies in front of this server add to `X-Forwarded-For`. Each adds the
 * address that it saw at the end, so what a client claims itself stands before those and is not
 * believed.
 * @returns The address or the network; undefined where there is none, as on a Unix socket.
 */
export function addressOf(
  request: Request,
  info: ConnectionInfo | undefined,
  proxies: number,
): string | undefined {
  if (proxies > 0) {
    const forwarded = (request.headers.get("x-forwarded-for") ?? "").split(",");
    const address = toNetwork(forwarded.at(-proxies)?.trim() ?? "");
    if (address !== undefined) return address;
  }
  return toNetwork(info?.remoteAddr.hostname ?? "");
}

/**
 * Tells whether an address is this machine's own.
 *
 * @param address What {@linkcode addressOf} returned.
 * @returns True for 127.0.0.0/8 and the network of `::1`.
 */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "0:0:0:0::/64";
}

function toNetwork(address: string): string | undefined {
  // The URL parser checks an address and writes it in its one short form.
  if (/^\d+\.\d+\.\d+\.\d+(:\d+)?$/.test(address)) {
    const url = `http://${address}`;
    return URL.canParse(url) ? new URL(url).hostname : undefined;
  }
  const bare = address.replace(/^\[|\](:\d+)?$|%.*$/g, "");
  // What else the parser would take has a port, a user or a fragment.
  if (!/^[\da-f:.]+$/i.test(bare)) return undefined;
  const url = `http://[${bare}]`;
  if (!bare.includes(":") || !URL.canParse(url)) return undefined;
  const groups = expand(new URL(url).hostname.slice(1, -1));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [groups[6] >> 8, groups[6] & 255, groups[7] >> 8, groups[7] & 255].join(".");
  }
  return groups.slice(0, 4).map((group) => group.toString(16)).join(":") + "::/64";
}

/** The eight numbers of an IPv6 address that the URL parser wrote. */
function expand(address: string): number[] {
  const [head, tail] = address.split("::").map((part) => part === "" ? [] : part.split(":"));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...Array<string>(zeros).fill("0"), ...tail ?? []].map((group) =>
    parseInt(group, 16)
  );
}
