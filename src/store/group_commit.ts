/**
 * Group commit: one commit in flight, and what arrives meanwhile goes together into the next.
 *
 * @module
 */

import { joinLines, type LogEntry } from "./entry.ts";
import { BatchWindow } from "./batch_window.ts";
import { BELLS_COST, entryCost, KV_LIMITS, MUTATIONS_PER_ENTRY } from "./kv/keys.ts";

/** Bytes that may wait for a commit: where storage hangs, memory does not grow beyond this. */
const QUEUE_MAX_BYTES = 32 * 1024 * 1024;

/** One message on its way into the log. */
export interface Append {
  /** The room it is for. */
  readonly room: string;
  /** The message as it is stored, at most {@linkcode KV_LIMITS}`.valueBytes` long. */
  readonly line: Uint8Array;
}

/** Where commits go and who hears of them. */
export interface GroupCommitOptions<A extends Append> {
  /** Stores one entry for each room, all or nothing, and returns the versionstamp. */
  readonly write: (entries: ReadonlyMap<string, LogEntry>) => Promise<string>;
  /** Hears of each commit, by room in the order of arrival; the next one waits for it. */
  readonly onCommit: (
    versionstamp: string,
    appends: ReadonlyMap<string, readonly A[]>,
  ) => Promise<void> | void;
  /** Hears of the appends that a failed write leaves unstored. */
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
 *   write: (entries) => log.append(entries),
 *   onCommit: (versionstamp, appends) => console.log(versionstamp, appends.size),
 *   onFailure: (appends, error) => console.error(appends.size, error),
 * });
 * const message = { id: "01…", user: "ann", text: "hello", sent_at: "2026-01-02T03:04:05.678Z" };
 * commits.add({ room: "lobby", line: encodeLine(JSON.stringify(message)) });
 * await commits.idle();
 * ```
 */
export class GroupCommit<A extends Append> {
  readonly #options: GroupCommitOptions<A>;
  readonly #queue = new Map<string, A[]>();
  #queuedBytes = 0;
  readonly #batchWindow: BatchWindow;
  #running: Promise<void> | undefined;

  /** @param options Where commits go and who hears of them. */
  constructor(options: GroupCommitOptions<A>) {
    this.#options = options;
    this.#batchWindow = new BatchWindow(options.drained ?? (() => Promise.resolve()), options.now);
  }

  /**
   * Takes an append into the next commit.
   *
   * @param append The append; the callbacks get this object back.
   * @returns False where so much waits already that it was not taken.
   * @throws {RangeError} Where the line is longer than a KV value can be.
   */
  add(append: A): boolean {
    const { room, line } = append;
    if (line.length > KV_LIMITS.valueBytes) {
      throw new RangeError(
        `Cannot append ${line.length} bytes to room "${room}": an entry holds ${KV_LIMITS.valueBytes}`,
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
    while (this.#queue.size > 0) {
      await this.#batchWindow.enough();
      const batch = this.#take();
      const entries = new Map<string, LogEntry>();
      for (const [room, appends] of batch) {
        entries.set(room, joinLines(appends.map((append) => append.line)));
      }
      let versionstamp: string;
      try {
        versionstamp = await this.#options.write(entries);
      } catch (error) {
        this.#options.onFailure(batch, error);
        continue;
      }
      await this.#options.onCommit(versionstamp, batch);
      await this.#batchWindow.sent();
    }
    this.#running = undefined;
  }

  /** Takes from the queue what fits into one atomic, at most one entry a room, oldest rooms first. */
  #take(): Map<string, A[]> {
    const batch = new Map<string, A[]>();
    let bytes = BELLS_COST.overheadBytes;
    let keyBytes = BELLS_COST.keyBytes;
    let mutations = BELLS_COST.mutations;
    for (const [room, waiting] of this.#queue) {
      const cost = entryCost(room);
      const left = KV_LIMITS.atomicBytes - bytes - cost.overheadBytes;
      if (
        mutations + MUTATIONS_PER_ENTRY > KV_LIMITS.mutations ||
        keyBytes + cost.keyBytes > KV_LIMITS.keyBytes
      ) break;
      const { count, size } = fitting(waiting, Math.min(KV_LIMITS.valueBytes, left));
      if (count === 0) break;
      batch.set(room, waiting.slice(0, count));
      bytes += cost.overheadBytes + size;
      keyBytes += cost.keyBytes;
      mutations += MUTATIONS_PER_ENTRY;
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
    if (next > maxBytes) break;
    size = next;
    count++;
  }
  return { count, size };
}
