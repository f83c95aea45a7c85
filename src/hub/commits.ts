/**
 * The commits of a hub: what its rooms want stored, and what comes of it.
 *
 * @module
 */

import type { LogEntry } from "../store/entry.ts";
import { GroupCommit } from "../store/group_commit.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { RoomAppend } from "./pending_messages.ts";
import type { FlushTracker } from "./flush_tracker.ts";
import type { Room } from "./room.ts";

/** The Web Lock that the isolates of a process take in turn to commit. */
const COMMIT_LOCK = "hubbub.v1.commit";

/** Where commits go, and who hears of them. */
export interface CommitsOptions {
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** Takes what an operator should know. */
  readonly logger: Logger;
  /** What is counted. */
  readonly metrics: Metrics;
  /** What members were sent last: the next commit gathers while that goes out. */
  readonly flushes: FlushTracker;
  /** Finds a room that is in memory. */
  readonly findRoom: (name: string) => Pick<Room, "committed" | "notStored"> | undefined;
  /** Whether the isolates of this process commit in turn. @default {false} */
  readonly inTurn?: boolean;
}

/** Deno 2.9 has Web Locks, and no types for them; 2.5 has none. */
interface WithLocks {
  readonly locks?: { request<T>(name: string, action: () => Promise<T>): Promise<T> };
}

/**
 * Makes the group commit of a hub: it measures and counts commits, and tells each room what became
 * of its appends.
 *
 * @param options Where commits go, and who hears of them.
 * @returns The group commit, with nothing to do yet.
 *
 * @example
 * ```ts
 * import { jsonLogger, Metrics, KvRoomLog } from "@hubbub/hub";
 * import { createCommits } from "./commits.ts";
 * import { FlushTracker } from "./flush_tracker.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const commits = createCommits({
 *   log: new KvRoomLog(kv),
 *   logger: jsonLogger(),
 *   metrics: new Metrics(),
 *   flushes: new FlushTracker(),
 *   findRoom: () => undefined,
 * });
 * await commits.idle();
 * ```
 */
export function createCommits(options: CommitsOptions): GroupCommit<RoomAppend> {
  const { log, logger, metrics, flushes, findRoom } = options;
  const locks = options.inTurn ? (navigator as WithLocks).locks : undefined;

  async function append(entries: ReadonlyMap<string, LogEntry>): Promise<string> {
    const startedAt = performance.now();
    const versionstamp = await log.append(entries);
    metrics.commitSeconds.observe((performance.now() - startedAt) / 1000);
    metrics.commitMessages.observe(
      [...entries.values()].reduce((sum, { count }) => sum + count, 0),
    );
    return versionstamp;
  }

  return new GroupCommit<RoomAppend>({
    write: (entries) => locks ? locks.request(COMMIT_LOCK, () => append(entries)) : append(entries),
    async onCommit(versionstamp, batch) {
      metrics.commits++;
      const reads: Promise<void>[] = [];
      // A room with something on its way is in memory, unless a drain gave up on it.
      for (const [name, appends] of batch) {
        const read = findRoom(name)?.committed(versionstamp, appends);
        if (read) reads.push(read);
      }
      await Promise.all(reads);
    },
    onFailure(batch, error) {
      metrics.commitFailures++;
      const messages = [...batch.values()].reduce((sum, appends) => sum + appends.length, 0);
      logger("error", "commit_failed", { rooms: batch.size, messages, error });
      for (const [name, appends] of batch) findRoom(name)?.notStored(appends);
    },
    drained: () => flushes.drained(),
  });
}
