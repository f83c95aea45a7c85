/**
 * Group commit: one commit in flight, and what arrives meanwhile goes together into the next.
 *
 * @module
 */

import { ENTRY_MAX_RECORDS } from "./cursor.ts";
import { joinLines, type LogEntry } from "./entry.ts";
import { BatchWindow } from "./batch_window.ts";
import type { RoomLog } from "./room_log.ts";

/** Bytes that may wait for a commit: where storage hangs, memory does not grow beyond this. */
const QUEUE_MAX_BYTES = 32 * 1024 * 1024;

/** One message on its way into the log. */
export interface Append {
  /** The room it is for. */
  readonly room: string;
  /** The message as it is stored, at most `entryMaxBytes` of the store long. */
  readonly line: Uint8Array;
  /** Unique id (ULID) of the message. */
  readonly id: string;
}

/** How {@linkcode GroupCommit} behaves. */
export interface GroupCommitOptions<A extends Append> {
  /** What a commit may hold. */
  readonly limits: Pick<RoomLog, "budget" | "entryMaxBytes">;
  /** Stores one entry for each room, all or nothing, and returns the commit. */
  readonly write: (entries: ReadonlyMap<string, LogEntry>) => Promise<string>;
  /** Called after each commit, by room in the order of arrival; the next one waits for it. */
  readonly onCommit: (
    commit: string,
    appends: ReadonlyMap<string, readonly A[]>,
  ) => Promise<void> | void;
  /** Called with the appends of a failed write: they may have been stored all the same. */
  readonly onFailure: (appends: ReadonlyMap<string, readonly A[]>, error: unknown) => void;
  /** Settles when what `onCommit` sent to members has gone out. @default {undefined} at once */
  readonly drained?: () => Promise<void>;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/**
 * Gathers appends of all rooms into as few commits as possible. One commit is in flight at a
 * time, so the appends of one sender are stored in the order in which they were added.
 *
 * @example
 * ```ts
 * import { KvRoomLog } from "@hubbub/hub";
 * import { encodeLine } from "./entry.ts";
 * import { GroupCommit } from "./group_commit.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const log = new KvRoomLog(kv);
 * const commits = new GroupCommit({
 *   limits: log,
 *   write: (entries) => log.append(entries),
 *   onCommit: (commit, appends) => console.log(commit, appends.size),
 *   onFailure: (appends, error) => console.error(appends.size, error),
 * });
 * const message = { id: "01…", user: "ann", text: "hello", sent_at: "2026-01-02T03:04:05.678Z" };
 * const line = encodeLine(JSON.stringify(message));
 * commits.add({ room: "lobby", line, id: message.id });
 * await commits.idle();
 * ```
 */
export class GroupCommit<A extends Append> {
  readonly #options: GroupCommitOptions<A>;
  readonly #queue = new Map<string, A[]>();
  #queuedBytes = 0;
  readonly #batchWindow: BatchWindow;
  #running: Promise<void> | undefined;

  /** @param options Where commits go. */
  constructor(options: GroupCommitOptions<A>) {
    this.#options = options;
    this.#batchWindow = new BatchWindow(options.drained ?? (() => Promise.resolve()), options.now);
  }

  /**
   * Takes an append into the next commit.
   *
   * @param append The append; the callbacks get this object back.
   * @returns False where so much waits already that it was not taken.
   * @throws {RangeError} Where the line is longer than an entry can be.
   */
  add(append: A): boolean {
    const { room, line } = append;
    const { entryMaxBytes } = this.#options.limits;
    if (line.length > entryMaxBytes) {
      throw new RangeError(
        `Cannot append ${line.length} bytes to room "${room}": an entry holds ${entryMaxBytes}`,
      );
    }
    if (this.#queuedBytes + line.length > QUEUE_MAX_BYTES) return false;
    this.#queuedBytes += line.length;
    const waiting = this.#queue.get(room);
    if (waiting) waiting.push(append);
    else this.#queue.set(room, [append]);
    this.#batchWindow.add();
    this.#running ??= this.#run();
    return true;
  }

  /** Resolves when nothing waits and nothing is in flight. Never rejects. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    // Whatever the current turn of the event loop still adds goes into the same commit.
    await Promise.resolve();
    try {
      while (this.#queue.size > 0) await this.#commit();
    } finally {
      // However it ends: otherwise nothing would be stored any more.
      this.#running = undefined;
    }
  }

  async #commit(): Promise<void> {
    await this.#batchWindow.enough();
    const batch = this.#take();
    const entries = new Map<string, LogEntry>();
    for (const [room, appends] of batch) {
      entries.set(room, joinLines(appends.map(({ line }) => line), appends.at(-1)!.id));
    }
    let commit: string;
    try {
      commit = await this.#options.write(entries);
    } catch (error) {
      this.#options.onFailure(batch, error);
      return;
    }
    await this.#options.onCommit(commit, batch);
    await this.#batchWindow.sent();
  }

  /** Takes from the queue what fits into one commit, at most one entry a room, oldest rooms first. */
  #take(): Map<string, A[]> {
    const batch = new Map<string, A[]>();
    const budget = this.#options.limits.budget();
    for (const [room, waiting] of this.#queue) {
      const { count, size } = fitting(waiting, budget.bytesFor(room));
      if (count === 0) break;
      batch.set(room, waiting.slice(0, count));
      budget.add(room, size);
    }
    let count = 0;
    for (const [room, taken] of batch) {
      count += taken.length;
      const rest = this.#queue.get(room)!.slice(taken.length);
      // A room with more than fits goes behind the others, so that it cannot starve them.
      this.#queue.delete(room);
      if (rest.length > 0) this.#queue.set(room, rest);
      for (const { line } of taken) this.#queuedBytes -= line.length;
    }
    this.#batchWindow.take(count);
    return batch;
  }
}

/** How many of the first appends fit into an entry of at most `maxBytes`, and its size. */
function fitting(appends: readonly Append[], maxBytes: number): { count: number; size: number } {
  let count = 0;
  let size = 0;
  for (const { line } of appends) {
    const next = size + line.length + (count > 0 ? 1 : 0);
    if (next > maxBytes || count === ENTRY_MAX_RECORDS) break;
    size = next;
    count++;
  }
  return { count, size };
}
