import { DEDUPLICATION_WINDOW } from "@hubbub/hub/protocol";

/** A record, as far as the window of its room needs to know it. */
export interface WindowRecord {
  readonly key: string;
  readonly sentAt: number;
}

/**
 * Which records of a log duplicate an earlier one, by the words of the promise: as slow as it is
 * simple. Bounds in bytes are left to other tests.
 */
export function duplicatesIn(records: readonly WindowRecord[]): boolean[] {
  const { maxMessages, minMessages, ms } = DEDUPLICATION_WINDOW;
  /** The oldest record in the window; what has left it never comes back. */
  let oldest = 0;
  return records.map(({ key, sentAt }, index) => {
    let isDuplicate = false;
    for (let at = oldest; at < index && !isDuplicate; at++) isDuplicate = records[at].key === key;
    for (let at = oldest; at <= index - minMessages; at++) {
      if (records[at].sentAt < sentAt - ms) oldest = at + 1;
    }
    oldest = Math.max(oldest, index + 1 - maxMessages);
    return isDuplicate;
  });
}
