/**
 * Files with the messages of a room, a line each, as an export writes them.
 *
 * @module
 */

import { decodeImported } from "../src/protocol/mod.ts";

/** Messages in one request, and UTF-16 code units of their lines. */
const BATCH_MAX = 500;
const BATCH_LENGTH_MAX = 2 * 1024 * 1024;
/** UTF-16 code units of a line: more than a message with all its reactions can have. */
const LINE_LENGTH_MAX = 4 * 1024 * 1024;

/** A message of the file, parsed. */
type Line = Record<string, unknown> & { cursor?: string; reply_to?: string };

/** What is wrong with a file. */
export class RoomFileError extends Error {}

/**
 * Reads the lines of a file, one at a time.
 *
 * @param path The file.
 * @returns Each line that is not blank, with its number, from 1.
 * @throws {RoomFileError} Where it is no UTF-8, or a line is too long.
 */
export async function* linesOf(path: string): AsyncGenerator<[number: number, line: string]> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  using file = await Deno.open(path);
  const buffer = new Uint8Array(256 * 1024);
  let number = 1;
  let rest = "";
  for (let size: number | null = 0; size !== null;) {
    size = await file.read(buffer);
    try {
      rest += size === null ? decoder.decode() : decoder.decode(buffer.subarray(0, size), STREAM);
    } catch {
      throw new RoomFileError(`${path} is not UTF-8, in line ${number} or soon after`);
    }
    const lines = rest.split("\n");
    rest = lines.pop()!;
    if (rest.length > LINE_LENGTH_MAX) {
      throw new RoomFileError(`${path}, line ${number + lines.length}: it is too long`);
    }
    for (const line of lines) {
      if (line.trim() !== "") yield [number, line];
      number++;
    }
  }
  if (rest.trim() !== "") yield [number, rest];
}

const STREAM = { stream: true };

/** What a file holds. */
export interface RoomFileContent {
  /** How many messages. */
  readonly count: number;
  /** The cursors of messages that others answer. */
  readonly answered: ReadonlySet<string>;
}

/**
 * Checks every line of a file.
 *
 * @param path The file.
 * @returns What it holds.
 * @throws {RoomFileError} Where a line is no message; with its number.
 */
export async function checkRoomFile(path: string): Promise<RoomFileContent> {
  const answered = new Set<string>();
  let count = 0;
  for await (const [number, line] of linesOf(path)) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new RoomFileError(`${path}, line ${number}: it is not JSON`);
    }
    const decoded = decodeImported(value);
    if (!decoded.ok) throw new RoomFileError(`${path}, line ${number}: ${decoded.error.message}`);
    const answers = decoded.imported.draft?.reply_to;
    if (answers !== undefined) answered.add(answers);
    count++;
  }
  return { count, answered };
}

/** Some messages of a file. */
export interface RoomFileBatch {
  /** The numbers of its first and its last line. */
  readonly lines: readonly [first: number, last: number];
  /** The messages. */
  readonly messages: readonly Line[];
}

/**
 * Reads a file that was checked, some messages at a time: memory holds a batch, and the new places
 * of those that are answered.
 *
 * @param path The file.
 * @param answered The cursors of messages that others answer.
 * @param store Stores a batch; gives the places of its messages.
 * @returns Settles when all are stored.
 * @throws Whatever `store` rejects with.
 */
export async function importRoomFile(
  path: string,
  answered: ReadonlySet<string>,
  store: (batch: RoomFileBatch) => Promise<readonly string[]>,
): Promise<void> {
  /** By the place before, that of now. */
  const places = new Map<string, string>();
  let messages: Line[] = [];
  let own = new Set<string>();
  let [first, last, length] = [0, 0, 0];
  const flush = async () => {
    if (messages.length === 0) return;
    const cursors = await store({ lines: [first, last], messages });
    messages.forEach(({ cursor = "" }, index) => {
      if (answered.has(cursor)) places.set(cursor, cursors[index]);
    });
    messages = [];
    own = new Set();
    length = 0;
  };
  for await (const [number, line] of linesOf(path)) {
    if (messages.length >= BATCH_MAX || length + line.length > BATCH_LENGTH_MAX) await flush();
    const { id: _id, room: _room, ref: _ref, changed: _changed, reply_to, ...message } = JSON.parse(
      line,
    ) as Line;
    // The server knows the new places of those in the same request; what is not there is no answer.
    const answers = reply_to === undefined ? undefined : own.has(reply_to) ? reply_to : places.get(
      reply_to,
    );
    if (messages.length === 0) first = number;
    last = number;
    length += line.length;
    messages.push(answers === undefined ? message : { ...message, reply_to: answers });
    if (message.cursor !== undefined) own.add(message.cursor);
  }
  await flush();
}
