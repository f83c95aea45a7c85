/**
 * Listing of values that may be long.
 *
 * @module
 */

/** Values that are read first, where nothing is known of their length: a history of short ones. */
const FIRST = 10;
/** Bytes that one step reads, about: what it reads is ahead of every commit that comes meanwhile. */
const STEP_BYTES = 128 * 1024;
/** Values that one step reads at most. */
const STEP_MAX = 100;

/**
 * Tells how many values to read next, so that a step is short in bytes whatever each of them has: a
 * database does one thing after the other, and 32 values of 64 KiB keep it from all else meanwhile.
 *
 * @param most Values of one step at most.
 * @param read How many values the last step read, and their bytes. @default {undefined} the first
 * @returns How many, at least one.
 *
 * @example
 * ```ts
 * import { nextStep } from "./kv_list.ts";
 *
 * console.log(nextStep(500), nextStep(500, { count: 10, bytes: 655_360 })); // 10 2
 * ```
 */
export function nextStep(
  most: number,
  read?: { readonly count: number; readonly bytes: number },
): number {
  const step = read ? Math.floor((STEP_BYTES * read.count) / Math.max(1, read.bytes)) : FIRST;
  return Math.max(1, Math.min(most, step));
}

/**
 * Lists values in steps that are short in bytes.
 *
 * @param kv The database.
 * @param selector Which keys.
 * @param options The order, and how many values are wanted: the first step reads no more, and later
 * ones do, for what came was not it.
 * @returns The entries, for as long as they are taken.
 */
export async function* listLong(
  kv: Deno.Kv,
  selector: Deno.KvListSelector,
  options: { readonly reverse?: boolean; readonly wanted: number },
): AsyncGenerator<Deno.KvEntry<Uint8Array>, void> {
  const { reverse = false, wanted } = options;
  let [step, cursor] = [nextStep(wanted), ""];
  for (let isEnd = false; !isEnd;) {
    const listed = kv.list<Uint8Array>(selector, { reverse, cursor, limit: step, batchSize: step });
    let [count, bytes] = [0, 0];
    for await (const entry of listed) {
      count++;
      bytes += entry.value?.byteLength ?? 0;
      yield entry;
    }
    isEnd = count < step;
    cursor = listed.cursor;
    step = nextStep(STEP_MAX, { count, bytes });
  }
}
