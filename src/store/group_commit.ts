/**
 * Group commit: one commit in flight, and what arrives meanwhile goes together into the next.
 *
 * @module
 */

import { BatchWindow } from "./batch_window.ts";
import { type Claim, ClaimedError } from "./claimed_error.ts";
import type { BudgetedAppend, CommitBudget } from "./commit_budget.ts";
import { ENTRY_MAX_RECORDS } from "./cursor.ts";
import { joinLines, type LogEntry } from "./entry.ts";
import type { EntryLine } from "./entry_line.ts";
import type { RoomLog } from "./room_log.ts";

/** Bytes that may wait for a commit: where storage hangs, memory does not grow beyond this. */
const QUEUE_MAX_BYTES = 32 * 1024 * 1024;

/** One message, or one change, on its way into the log. */
export interface Append extends BudgetedAppend {
  readonly line: EntryLine;
  /** Unique id (ULID) of the record, whose line is at most `entryMaxBytes` of the store long. */
  readonly id: string;
}

/** How {@linkcode GroupCommit} behaves. */
export interface GroupCommitOptions<A extends Append> {
  /** What a commit may hold. */
  readonly limits: Pick<RoomLog, "budget" | "entryMaxBytes">;
  /**
   * Stores one entry for each room, all or nothing, and returns the commit. With `isRest` it is what
   * is left of a commit that was refused.
   */
  readonly write: (
    entries: ReadonlyMap<string, LogEntry>,
    options: { readonly isRest: boolean },
  ) => Promise<string>;
  /**
   * Called where the store refused a commit, with each append that was made before, and with the
   * rooms of which nothing is left. @default {undefined} that is a failure
   */
  readonly onClaimed?: (
    claimed: readonly (readonly [A, Claim])[],
    rooms: readonly string[],
  ) => void;
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
 * import { entryLine } from "./entry_line.ts";
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
 * const line = entryLine(JSON.stringify(message));
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
    let batch = this.#take();
    for (let isRest = false; batch.size > 0; isRest = true) {
      const entries = new Map<string, LogEntry>();
      for (const [room, appends] of batch) entries.set(room, entryOf(appends));
      let commit: string;
      try {
        commit = await this.#options.write(entries, { isRest });
      } catch (error) {
        const rest = this.#withoutClaimed(batch, error);
        if (!rest) return this.#options.onFailure(batch, error);
        // Nothing was stored: the others go on without those.
        batch = rest;
        continue;
      }
      await this.#options.onCommit(commit, batch);
      return await this.#batchWindow.sent();
    }
  }

  /** Takes what was made before out of a batch; undefined where the error says nothing of that. */
  #withoutClaimed(batch: ReadonlyMap<string, A[]>, error: unknown): Map<string, A[]> | undefined {
    const { onClaimed } = this.#options;
    if (!(error instanceof ClaimedError) || !onClaimed) return undefined;
    const claimed: [A, Claim][] = [];
    const rest = new Map<string, A[]>();
    for (const [room, appends] of batch) {
      const left = appends.filter((append) => {
        const claim = error.claims.get(append.id);
        if (claim) claimed.push([append, claim]);
        return !claim;
      });
      if (left.length > 0) rest.set(room, left);
    }
    if (claimed.length === 0) return undefined;
    onClaimed(claimed, [...batch.keys()].filter((room) => !rest.has(room)));
    return rest;
  }

  /** Takes from the queue what fits into one commit, at most one entry a room, oldest rooms first. */
  #take(): Map<string, A[]> {
    const batch = new Map<string, A[]>();
    const budget = this.#options.limits.budget();
    for (const [room, waiting] of this.#queue) {
      const count = fitting(waiting, budget);
      if (count === 0) break;
      batch.set(room, waiting.slice(0, count));
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

/** How many of the first appends a commit can still hold. */
function fitting(appends: readonly Append[], budget: CommitBudget): number {
  const counts = { messages: 0, changes: 0 };
  for (const append of appends) {
    const kind = append.writes ? "changes" : "messages";
    if (counts[kind] === ENTRY_MAX_RECORDS || !budget.take(append)) break;
    counts[kind]++;
  }
  return counts.messages + counts.changes;
}

/** Makes what one room gets of its appends, at least one. */
function entryOf(appends: readonly Append[]): LogEntry {
  const messages = appends.filter(({ writes }) => !writes);
  const lastId = appends.at(-1)!.id;
  // Most rooms have no changes.
  if (messages.length === appends.length) return joinLines(appends.map(lineOf), lastId);
  const changes = appends.flatMap(({ writes }) => writes ?? []);
  const { bytes } = joinLines(appends.filter(({ writes }) => writes).map(lineOf), lastId);
  const entry = messages.length > 0
    ? joinLines(messages.map(lineOf), messages.at(-1)!.id)
    : { bytes: new Uint8Array(), count: 0, lastId };
  return { ...entry, changes: { bytes, changes } };
}

function lineOf({ line }: Append): EntryLine {
  return line;
}
