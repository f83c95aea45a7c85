import { isLoopback } from "../../src/access/client_address.ts";

/** From where attackers, members and strangers reach a hub. */
export interface Addresses {
  /** Where attackers connect to, and so come from: a socket to one's own address has it too. */
  readonly attackers: readonly string[];
  /** The same for members. */
  readonly members: string;
  /** The same for strangers, who are to be let in whatever the attackers do. */
  readonly stranger: string;
}

/**
 * Chooses addresses of this machine. Loopback is spared limits by address, so attackers come from
 * another one; members and strangers from further ones where there are any, and from loopback else.
 *
 * @param given Addresses in the order attackers, members, stranger, more attackers; may be empty.
 * @throws {Error} Where there is none but loopback.
 */
export function chooseAddresses(given: readonly string[]): Addresses {
  const own = Deno.networkInterfaces().filter(({ family, address }) => {
    return family === "IPv4" && !isLoopback(address);
  }).map(({ address }) => address);
  const [first, members = "127.0.0.1", stranger = "127.0.0.1", ...more] = given.length > 0
    ? given
    : own;
  if (first === undefined) {
    throw new Error(
      "This machine has no address but loopback, which is spared limits by address: add one, for " +
        'example with "ip addr add 10.99.0.1/32 dev lo"',
    );
  }
  return { attackers: [first, ...more], members, stranger };
}
