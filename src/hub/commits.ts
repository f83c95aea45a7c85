/**
 * The commits of a hub, and their delivery to its rooms.
 *
 * @module
 */

import type { LogEntry } from "../store/entry.ts";
import { GroupCommit } from "../store/group_commit.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Guard } from "../telemetry/guard.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { RoomAppend } from "./pending_messages.ts";

/** The Web Lock that the isolates of a process take in turn to commit. */
const COMMIT_LOCK = "hubbub.v1.commit";

/** The group commit of a hub. */
export type Commits = GroupCommit<RoomAppend>;

/** A room that messages are committed for. */
export interface CommittingRoom {
  /** Delivers messages that were committed; settles when that takes no more reads. */
  committed(versionstamp: string, appends: readonly RoomAppend[]): Promise<void> | undefined;
  /** Rejects messages of a commit that failed. */
  notCommitted(appends: readonly RoomAppend[]): void;
  /** Waits until members have what they were sent last; not longer than some milliseconds. */
  flushed(): Promise<void>;
}

/** How the commits of a hub behave. */
export interface CommitsOptions {
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** Runs what rooms do, and logs. */
  readonly guard: Guard;
  /** The hub's counters. */
  readonly metrics: Metrics;
  /** Finds a room that is in memory. */
  readonly findRoom: (name: string) => CommittingRoom | undefined;
  /** Whether the isolates of this process commit in turn. @default {false} */
  readonly inTurn?: boolean;
}

/** Deno 2.9 has Web Locks, and no types for them; 2.5 has none. */
interface WithLocks {
  readonly locks?: { request<T>(name: string, action: () => Promise<T>): Promise<T> };
}

/**
 * Creates the group commit of a hub: it measures and counts commits, and delivers each to its rooms.
 * A room that fails at that is logged and counted, and holds up no other.
 *
 * @param options Where commits go, and the rooms they are for.
 * @returns The group commit, with nothing to do yet.
 *
 * @example
 * ```ts
 * import { jsonLogger, Metrics, KvRoomLog } from "@hubbub/hub";
 * import { Guard } from "../telemetry/guard.ts";
 * import { createCommits } from "./commits.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const metrics = new Metrics();
 * const commits = createCommits({
 *   log: new KvRoomLog(kv),
 *   guard: new Guard({ logger: jsonLogger(), metrics }),
 *   metrics,
 *   findRoom: () => undefined,
 * });
 * await commits.idle();
 * ```
 */
export function createCommits(options: CommitsOptions): Commits {
  const { log, guard, metrics, findRoom } = options;
  const locks = options.inTurn ? (navigator as WithLocks).locks : undefined;
  /** The rooms of the last commit. */
  let last: readonly CommittingRoom[] = [];

  async function append(entries: ReadonlyMap<string, LogEntry>): Promise<string> {
    const startedAt = performance.now();
    const versionstamp = await log.append(entries);
    const messages = [...entries.values()].reduce((sum, { count }) => sum + count, 0);
    metrics.observeCommit((performance.now() - startedAt) / 1000, messages);
    return versionstamp;
  }

  return new GroupCommit<RoomAppend>({
    write: (entries) => locks ? locks.request(COMMIT_LOCK, () => append(entries)) : append(entries),
    async onCommit(versionstamp, batch) {
      metrics.commits++;
      const reads: Promise<void>[] = [];
      const rooms: CommittingRoom[] = [];
      for (const [name, appends] of batch) {
        // A room with messages on their way is in memory, unless a drain gave up on it.
        const room = findRoom(name);
        if (!room) continue;
        rooms.push(room);
        guard.run("delivery_failed", () => {
          const read = room.committed(versionstamp, appends);
          if (read) reads.push(read);
        });
      }
      last = rooms;
      await Promise.all(reads);
    },
    onFailure(batch, error) {
      metrics.commitFailures++;
      const messages = [...batch.values()].reduce((sum, appends) => sum + appends.length, 0);
      guard.logger("error", "commit_failed", { rooms: batch.size, messages, error });
      for (const [name, appends] of batch) {
        guard.run("delivery_failed", () => findRoom(name)?.notCommitted(appends));
      }
    },
    drained: async () => void await Promise.all(last.map((room) => room.flushed())),
  });
}
