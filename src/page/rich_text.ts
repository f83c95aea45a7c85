/**
 * The parts of a text: code, links, and the reader's own name.
 *
 * @module
 */

import { findMentions } from "../protocol/mod.ts";
import { splitLinks } from "./links.ts";

/** A part of a line of a text. */
export type InlinePart =
  | { readonly type: "words"; readonly text: string }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "mention"; readonly text: string }
  | { readonly type: "link"; readonly text: string; readonly href: string; readonly host?: string };

/** A part of a text: a block of code, or what stands between two. */
export type TextPart = { readonly type: "block"; readonly text: string } | InlinePart;

const FENCE = "```";
/** What a reader takes for one emoji: a picture, a flag, or a key. */
const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[\d#*]\ufe0f?\u20e3)/u;
/** The longest text that may be emoji alone: families are long. */
const EMOJI_MAX_LENGTH = 60;
/** Emoji that are shown large where there is nothing else. */
const LARGE_MAX = 3;

/** Made once: making one takes longer than a hundred uses of it. */
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * Splits a text, in a time that grows with its length only.
 *
 * @param text The text.
 * @param names The reader's names, which are marked where the text mentions them.
 * @returns Its parts, in order.
 */
export function splitText(text: string, names: readonly string[]): TextPart[] {
  if (!text.includes(FENCE)) return splitInline(text, names);
  const lines = text.split("\n");
  const ends = lines.flatMap((line, index) => line.trimEnd() === FENCE ? [index] : []);
  const parts: TextPart[] = [];
  let words: string[] = [];
  let at = 0;
  const flush = () => {
    if (words.length > 0) parts.push(...splitInline(words.join("\n"), names));
    words = [];
  };
  for (let index = 0; index < lines.length; index++) {
    // What follows the fence is the name of a language.
    const begins = /^```[^`]*$/.test(lines[index]);
    while (ends[at] <= index) at++;
    const end = ends[at];
    if (!begins || end === undefined) {
      words.push(lines[index]);
      continue;
    }
    flush();
    parts.push({ type: "block", text: lines.slice(index + 1, end).join("\n") });
    index = end;
  }
  flush();
  return parts;
}

/** Splits a text without blocks of code. */
function splitInline(text: string, names: readonly string[]): InlinePart[] {
  const parts: InlinePart[] = [];
  let at = 0;
  for (const { 0: code, index } of text.matchAll(/`[^`\n]+`/g)) {
    parts.push(...splitWords(text.slice(at, index), names));
    parts.push({ type: "code", text: code.slice(1, -1) });
    at = index + code.length;
  }
  parts.push(...splitWords(text.slice(at), names));
  return parts;
}

function splitWords(text: string, names: readonly string[]): InlinePart[] {
  return splitLinks(text).flatMap(({ text: words, href, host }): InlinePart[] => {
    if (href !== undefined) return [{ type: "link", text: words, href, host }];
    const parts: InlinePart[] = [];
    let at = 0;
    for (const { start, end } of findMentions(words, names)) {
      if (start > at) parts.push({ type: "words", text: words.slice(at, start) });
      parts.push({ type: "mention", text: words.slice(start, end) });
      at = end;
    }
    if (at < words.length) parts.push({ type: "words", text: words.slice(at) });
    return parts;
  });
}

/**
 * Tells whether a text is up to three emoji and nothing else.
 *
 * @param text The text.
 * @returns True where it is.
 */
export function isEmojiAlone(text: string): boolean {
  const words = text.trim();
  if (words === "" || words.length > EMOJI_MAX_LENGTH) return false;
  const shown = Array.from(graphemes.segment(words), ({ segment }) => segment)
    .filter((segment) => segment.trim() !== "");
  return shown.length <= LARGE_MAX && shown.every((segment) => EMOJI.test(segment));
}

/**
 * Gives the first character as a reader counts: a flag or a family is one.
 *
 * @param text The text.
 * @returns Empty for an empty text.
 */
export function firstOf(text: string): string {
  return graphemes.segment(text).containing(0)?.segment ?? "";
}
