/**
 * Pages of messages, bounded in bytes.
 *
 * @module
 */

import type { LogRecord } from "../store/entry.ts";

/**
 * UTF-16 code units of a page: what a member that does not read leaves waiting at most, before the
 * next page. It is the limit above which typing and presence are held back, and the 10 newest
 * messages fit in however long they are (4,096 bytes of text, of which JSON escapes every one).
 */
export const PAGE_LENGTH = 256 * 1024;

/** How long a page is. */
export interface PageOptions {
  /** UTF-16 code units of its envelopes. @default {262144} */
  readonly maxLength?: number;
  /** Records that it holds at least, however long they are. @default {1} */
  readonly min?: number;
}

/**
 * The first records that fit into a page.
 *
 * @param records Records, oldest first.
 * @param options How long the page is.
 * @returns The oldest of them, at least one if there is one.
 *
 * @example
 * ```ts
 * import { firstPage } from "./message_page.ts";
 *
 * console.log(firstPage([]).length); // 0
 * ```
 */
export function firstPage(
  records: readonly LogRecord[],
  options: PageOptions = {},
): readonly LogRecord[] {
  return records.slice(0, countOf((i) => records[i], records.length, options));
}

/**
 * The last records that fit into a page.
 *
 * @param records Records, oldest first.
 * @param options How long the page is.
 * @returns The newest of them, at least one if there is one.
 *
 * @example
 * ```ts
 * import { lastPage } from "./message_page.ts";
 *
 * console.log(lastPage([]).length); // 0
 * ```
 */
export function lastPage(
  records: readonly LogRecord[],
  options: PageOptions = {},
): readonly LogRecord[] {
  const { length } = records;
  return records.slice(length - countOf((i) => records[length - 1 - i], length, options));
}

/**
 * Leaves out the duplicates of a page that are about to become tombstones: of two records with one
 * `ref` or one id only the first is shown.
 *
 * @param records Records that follow each other in a log, oldest first, at most 256.
 * @returns Those that are to be shown.
 *
 * @example
 * ```ts
 * import { withoutDuplicates } from "./message_page.ts";
 *
 * console.log(withoutDuplicates([]).length); // 0
 * ```
 */
export function withoutDuplicates(records: readonly LogRecord[]): readonly LogRecord[] {
  const seen = new Set<string>();
  return records.filter(({ user, ref, id, repeats }) => {
    if (repeats !== undefined) return false;
    // No name of a user is empty or holds a line feed. No hashes: they took most of the time of a page.
    const name = ref === undefined ? `\n${id}` : `${user}\n${ref}`;
    const isFirst = !seen.has(name);
    seen.add(name);
    return isFirst;
  });
}

function countOf(
  at: (index: number) => LogRecord,
  size: number,
  { maxLength = PAGE_LENGTH, min = 1 }: PageOptions,
): number {
  let length = 0;
  for (let i = 0; i < size; i++) {
    length += at(i).envelope.length;
    if (i >= min && length > maxLength) return i;
  }
  return size;
}
