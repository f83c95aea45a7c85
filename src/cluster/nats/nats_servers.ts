/**
 * Addresses of NATS.
 *
 * @module
 */

/** Where a server is, and who connects. */
export interface NatsServerAddress {
  /** Its name or address. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** Whether TLS is asked for. It is used in any case where the server says so. */
  readonly tls: boolean;
  /** Who it is: a user and a password, or a token; or nothing. */
  readonly credentials: { readonly user?: string; readonly pass?: string; readonly token?: string };
}

/**
 * Reads a list of addresses.
 *
 * @param text Addresses with commas between, such as `nats://user:password@127.0.0.1:4222`. The first
 * one that names a user, or a token in its place, says who connects to all of them.
 * @returns The addresses, in their order.
 * @throws {TypeError} Where one is no address of NATS; the message holds no password.
 *
 * @example
 * ```ts
 * import { natsServers } from "./nats_servers.ts";
 *
 * const [a, b] = natsServers("nats://ann:secret@a.example, tls://b.example:5222");
 * console.log(a.hostname, a.port, b.port, b.credentials.user); // a.example 4222 5222 ann
 * ```
 */
export function natsServers(text: string): readonly NatsServerAddress[] {
  const urls = text.split(",").map((part) => part.trim()).filter((part) => part !== "").map(parse);
  if (urls.length === 0) throw new TypeError("Cannot use no addresses of NATS");
  const named = urls.find(({ username }) => username !== "");
  const [user, pass] = [named?.username ?? "", named?.password ?? ""].map(decodeURIComponent);
  const credentials: NatsServerAddress["credentials"] = user === ""
    ? {}
    : pass === ""
    ? { token: user }
    : { user, pass };
  return urls.map(({ hostname, port, protocol }) => ({
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port || 4222),
    tls: protocol === "tls:",
    credentials,
  }));
}

function parse(text: string): URL {
  const url = URL.parse(text.includes("://") ? text : `nats://${text}`);
  if (url && url.hostname !== "" && /^(nats|tls):$/.test(url.protocol)) return url;
  const shown = text.replace(/\/\/.*@/, "//…@");
  throw new TypeError(
    `Cannot use "${shown}" as an address of NATS: it should be like nats://127.0.0.1:4222`,
  );
}
