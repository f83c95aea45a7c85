/**
 * Words that stand out in a message.
 *
 * @module
 */

/** The name of the highlight in the style sheet. */
const NAME = "found";

/**
 * Marks words in an element, and no longer those that were marked before. A browser that knows no
 * highlights marks none.
 *
 * @param element The element; undefined marks nothing.
 * @param words What to mark, in small letters.
 */
export function markWords(element: Element | undefined, words: string): void {
  if (!("highlights" in CSS)) return;
  CSS.highlights.delete(NAME);
  if (!element || words === "") return;
  const ranges: Range[] = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent?.toLowerCase() ?? "";
    // Some letters are two when they are small.
    if (text.length !== node.textContent?.length) continue;
    for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + words.length);
      ranges.push(range);
    }
  }
  CSS.highlights.set(NAME, new Highlight(...ranges));
}
