/**
 * The links in a text.
 *
 * @module
 */

/** A piece of a text: words, or a link. */
export interface Piece {
  /** The text to show, exactly as it was written. */
  readonly text: string;
  /** The address of a link: an absolute http or https URL. */
  readonly href?: string;
  /** The host of a link, where it is not written as the browser will call it. */
  readonly host?: string;
}

/** The most characters that a link may have; no browser takes many more from an address bar. */
const LINK_MAX = 2_048;

/**
 * An address and what is attached to it. Punctuation and symbols of other scripts end it, such as
 * the full stop of Chinese, which a browser would take for the dot of a host name; the dashes and
 * middle dots of titles do not. So does a backslash, which a browser would take for a slash.
 */
const ADDRESS = new RegExp(
  String.raw`\bhttps?:\/\/(?:[!#-;=?-\[\]^_a-z{|}~]` +
    String.raw`|(?![\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\p{Zs}\p{Zl}\p{Zp}])[\u00a1-\u{10ffff}]|[·・])+`,
  "giu",
);
/** What ends a sentence rather than an address. */
const TRAILING: ReadonlySet<string> = new Set(".,:;!?'*_~|");
const OPENING: ReadonlyMap<string, string> = new Map([[")", "("], ["]", "["], ["}", "{"]]);
/** What no one can see, in a host or anywhere but between the parts of an emoji. */
const INVISIBLE = /(?![\u200d\ufe0f])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;
/** A host name as it stands in an address: letters, digits, marks, dots and hyphens, and a port. */
const HOST = /^https?:\/\/((?:[\p{L}\p{N}\p{M}._-]+|\[[\da-f:.]+\])(?::\d{1,5})?)(?=[/?#]|$)/iu;

/**
 * Finds the links in a text, in a time that grows with its length only. Only `http:` and `https:`
 * count, so that nothing a user writes can become a script, and only where the host that is shown
 * is the host that is reached.
 *
 * @param text Any text.
 * @returns Its pieces; put together again they are the text.
 */
export function splitLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const shown = withoutTrailing(withoutWords(match[0]));
    const link = linkOf(shown);
    if (link === undefined) continue;
    if (match.index > at) pieces.push({ text: text.slice(at, match.index) });
    pieces.push(link);
    at = match.index + shown.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

/** "https://example.com谢谢" ends with "com": no last part of a host name mixes scripts like that. */
function withoutWords(address: string): string {
  return address.match(/^https?:\/\/(?:[^\s/?#]*\.)?[a-z]+(?=[^\0-\x7f]+(?:[/?#]|$))/i)?.[0] ??
    address;
}

/** "(see https://example.org/a_(b))." ends with the address, not with the bracket around it. */
function withoutTrailing(address: string): string {
  // More closing than opening brackets of a kind: positive where one at the end is loose.
  const loose = new Map<string, number>();
  for (const character of address) {
    for (const [closing, opening] of OPENING) {
      if (character === closing) loose.set(closing, (loose.get(closing) ?? 0) + 1);
      else if (character === opening) loose.set(closing, (loose.get(closing) ?? 0) - 1);
    }
  }
  let end = address.length;
  for (; end > 0; end--) {
    const last = address[end - 1];
    const excess = loose.get(last) ?? 0;
    if (excess > 0) loose.set(last, excess - 1);
    else if (!TRAILING.has(last)) break;
  }
  return address.slice(0, end);
}

function linkOf(address: string): Piece | undefined {
  if (address.length > LINK_MAX || INVISIBLE.test(address)) return undefined;
  // A name before "@" is often a host that one is meant to believe in; HOST has none.
  const written = address.match(HOST)?.[1].toLowerCase();
  if (written === undefined || !URL.canParse(address)) return undefined;
  const { href, host, protocol } = new URL(address);
  if (href.length > LINK_MAX) return undefined;
  const reached = withPort(host, protocol);
  if (withPort(written, protocol) === reached) return { text: address, href };
  // Letters that a browser writes in another way (xn--…) are a host too, but its name is told;
  // a number that means an address, or a name that stands for another one, is no link.
  const hasOthers = /[^\0-\x7f]/.test(written) && /(?:^|\.)xn--/.test(reached);
  return hasOthers ? { text: address, href, host } : undefined;
}

/** The host with the port that goes without saying. */
function withPort(host: string, protocol: string): string {
  if (/:\d+$/.test(host.replace(/^\[.*\]/, ""))) return host.replace(/:0*(\d+)$/, ":$1");
  return `${host}:${protocol === "https:" ? 443 : 80}`;
}
