/**
 * Records as they were read, or came from another isolate.
 *
 * @module
 */

import { decodeRecord, type LogRecord } from "../store/entry.ts";

/**
 * The length of records.
 *
 * @param records The records.
 * @returns UTF-16 code units of their envelopes.
 */
export function lengthOf(records: readonly LogRecord[]): number {
  return records.reduce((sum, { envelope }) => sum + envelope.length, 0);
}

/**
 * Decodes the records that another isolate delivered.
 *
 * @param lines The records, as they are stored.
 * @param hashes The hash of what the sender of each sent, where that is known.
 * @returns The records; none where one of them cannot be read: then the log is read.
 */
export function decodeLines(
  lines: readonly string[],
  hashes: readonly (number | null)[] = [],
): LogRecord[] {
  try {
    return lines.map((line, index) => decodeRecord(line, hashes[index] ?? undefined));
  } catch {
    return []; // Then the log is read, as if they had been left out.
  }
}
