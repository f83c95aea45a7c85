/**
 * The links in a text.
 *
 * @module
 */

/** A piece of a text: words, or a link with where it leads. */
export interface Piece {
  /** What to show, exactly as it was written. */
  readonly text: string;
  /** Where it leads: an absolute http or https URL. */
  readonly href?: string;
}

/** What ends a sentence rather than an address. */
const TRAILING = /[.,:;!?'"»”’*_]$/u;
const CLOSING: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/**
 * Finds the links in a text. Only `http:` and `https:` count, so that nothing a user writes can
 * become a script.
 *
 * @param text Any text.
 * @returns Its pieces; put together again they are the text.
 */
export function splitLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"`]+/giu)) {
    const shown = withoutTrailing(match[0]);
    const href = hrefOf(shown);
    if (href === undefined) continue;
    if (match.index > at) pieces.push({ text: text.slice(at, match.index) });
    pieces.push({ text: shown, href });
    at = match.index + shown.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

/** "(see https://example.org/a_(b))." ends with the address, not with the bracket around it. */
function withoutTrailing(address: string): string {
  while (true) {
    const last = address.slice(-1);
    const opening = CLOSING[last];
    const isLoose = opening !== undefined && count(address, last) > count(address, opening);
    if (!isLoose && !TRAILING.test(address)) return address;
    address = address.slice(0, -1);
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function hrefOf(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { href, protocol } = new URL(address);
  return protocol === "http:" || protocol === "https:" ? href : undefined;
}
