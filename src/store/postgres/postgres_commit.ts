/**
 * What one commit writes to PostgreSQL.
 *
 * @module
 */

import type { ChangeWrites } from "../change_entry.ts";
import { CHANGES_FROM, tagOf } from "../cursor.ts";
import type { LogEntry } from "../entry.ts";
import { PART_END } from "./postgres_changes.ts";

/** What stands between the bodies of a commit: JSON holds no such character. */
const SEPARATOR = "\x01";

const decoder = new TextDecoder();

/**
 * Makes the arguments of the database's function `append`, behind the writer and its generation.
 *
 * @param entries By room, the entry.
 * @returns Rooms, bodies, indexes and tags of their newest records, and changes.
 */
export function valuesOf(entries: ReadonlyMap<string, LogEntry>): (string | null)[] {
  const all = [...entries.values()];
  const heads = all.map(({ count, lastId, changes: entry }): [index: number, id: string] => {
    // Changes stand behind messages.
    const last = (entry?.changes.length ?? 0) - 1;
    return entry ? [CHANGES_FROM + last, entry.changes[last].id] : [count - 1, lastId];
  });
  return [
    // No name of a room holds a space.
    [...entries.keys()].join(" "),
    all.map(({ bytes }) => decoder.decode(bytes)).join(SEPARATOR),
    `{${heads.map(([index]) => index).join()}}`,
    `{${heads.map(([, id]) => tagOf(id)).join()}}`,
    changesOf(entries),
  ];
}

/**
 * Makes what a commit writes besides messages.
 *
 * @param entries By room, the entry.
 * @returns JSON text for the function of the database; null where there are no changes.
 */
function changesOf(entries: ReadonlyMap<string, LogEntry>): string | null {
  const rooms: Record<string, unknown>[] = [];
  // Many changes of one commit may set the same state: the last one stands.
  const states = new Map<string, Record<string, unknown>>();
  const edits: Record<string, unknown>[] = [];
  const deletes: Record<string, unknown>[] = [];
  const clears: Record<string, unknown>[] = [];
  const erases: Record<string, unknown>[] = [];
  const claims: Record<string, unknown>[] = [];
  for (const [room, { changes: entry }] of entries) {
    if (!entry) continue;
    let controls = false;
    entry.changes.forEach((writes, position) => {
      const place = { index: CHANGES_FROM + position, tag: tagOf(writes.id) };
      for (const { message = "", name: parts, value } of writes.states) {
        const name = parts.join(PART_END);
        controls ||= message === "";
        const state = { room, message, name, value, ...place };
        states.set(`${room} ${message} ${name}`, state);
      }
      if (writes.edits !== undefined) edits.push({ room, message: writes.edits });
      if (writes.deletes !== undefined) deletes.push({ room, message: writes.deletes });
      if (writes.claim) claims.push({ room, ...writes.claim, id: writes.id, ...place });
      if (writes.erases !== undefined) erases.push({ room, who: writes.erases, ...place });
    });
    const cleared = clearOf(entry.changes);
    if (cleared) clears.push({ room, ...cleared });
    rooms.push({ room, body: decoder.decode(entry.bytes), controls });
  }
  if (rooms.length === 0) return null;
  const all = { rooms, states: [...states.values()], edits, deletes, clears, erases, claims };
  return JSON.stringify(all);
}

/** What is left of a room's changes where one of them deletes the room. */
function clearOf(changes: readonly ChangeWrites[]): Record<string, unknown> | undefined {
  const position = changes.findLastIndex(({ clears }) => clears);
  if (position < 0) return undefined;
  const counted = changes.slice(position + 1);
  return {
    index: CHANGES_FROM + position,
    tag: tagOf(changes[position].id),
    changes: counted.length > 0,
    controls: counted.some(({ states }) => states.some(({ message }) => message === undefined)),
  };
}
