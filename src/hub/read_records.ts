/**
 * Records as they were read, or came from another isolate.
 *
 * @module
 */

import type { ChangeRecord } from "../store/change.ts";
import { decodeRecord, type LogRecord } from "../store/entry.ts";
import { changeRecord } from "../store/folded_record.ts";

/** How a line begins that holds a change. */
const CHANGE_START = '{"change":';

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
 * Encodes a record for the other isolates.
 *
 * @param record The record.
 * @returns A line.
 */
export function encodeRecord({ change, envelope }: LogRecord): string {
  return change ? JSON.stringify({ change }) : envelope;
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
    return lines.map((line, index) => {
      const hash = hashes[index] ?? undefined;
      if (!line.startsWith(CHANGE_START)) return decodeRecord(line, hash);
      return { ...changeRecord((JSON.parse(line) as { change: ChangeRecord }).change), hash };
    });
  } catch {
    return []; // Then the log is read, as if they had been left out.
  }
}
