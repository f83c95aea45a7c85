/**
 * Places of logs as PostgreSQL counts them.
 *
 * @module
 */

import { cursorAt, ORIGIN } from "../cursor.ts";

/** The greatest place that PostgreSQL knows. */
const PLACE_MAX = 2n ** 63n - 1n;

/** From where a log counts; null where the room was never deleted. */
export interface FromRow {
  readonly fromCommit: string | null;
  readonly fromIndex: number;
  readonly fromTag: number;
}

/**
 * A commit as the database counts it.
 *
 * @param commit Hexadecimal digits.
 * @returns A decimal number; one greater than all where the commit is.
 */
export function numberOf(commit: string): string {
  const number = BigInt(`0x${commit}`);
  return String(number > PLACE_MAX ? PLACE_MAX : number);
}

/**
 * Says which entries count: those behind the commit that deleted the room.
 *
 * @param schema The schema.
 * @returns A condition on `place`, for the room that is the first parameter.
 */
export function counted(schema: string): string {
  return `place > coalesce((select from_place from ${schema}.rooms where room = $1), -1)`;
}

/**
 * The place from which a log counts.
 *
 * @param row What the database says.
 * @returns The cursor of the record that deleted the room; the origin where that was never done.
 */
export function originOf({ fromCommit, fromIndex, fromTag }: FromRow): string {
  return fromCommit === null ? ORIGIN : cursorAt(fromCommit, fromIndex, fromTag);
}
