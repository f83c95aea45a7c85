/**
 * The commits of a hub, and their delivery to its rooms.
 *
 * @module
 */

import type { Cluster } from "../cluster/cluster.ts";
import { cursorAt, NO_COMMIT } from "../store/cursor.ts";
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
  /** The place up to which everything has been delivered. */
  readonly cursor: string;
  /**
   * Delivers messages that were committed; settles when that takes no more reads. Where the room is
   * behind, something was appended before them that it has not read.
   */
  committed(
    commit: string,
    appends: readonly RoomAppend[],
    options: { readonly isBehind: boolean },
  ): Promise<void> | undefined;
  /** Rejects messages of a commit that failed. */
  notCommitted(appends: readonly RoomAppend[], error: unknown): void;
  /** Waits until members have what they were sent last; not longer than some milliseconds. */
  flushed(): Promise<void>;
}

/** How the commits of a hub behave. */
export interface CommitsOptions {
  /** The rooms' logs. */
  readonly log: Pick<RoomLog, "append" | "budget" | "entryMaxBytes">;
  /** Runs what rooms do, and logs. */
  readonly guard: Guard;
  /** The hub's counters. */
  readonly metrics: Metrics;
  /** Finds a room that is in memory. */
  readonly findRoom: (name: string) => CommittingRoom | undefined;
  /** Knows what other isolates commit to the same logs. @default {undefined} there are none */
  readonly others?: () =>
    | Pick<Cluster, "committed" | "committing" | "notCommitted" | "position">
    | undefined;
  /** Called where the database was put back to an earlier state. */
  readonly onWentBack: () => void;
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
 *   onWentBack: () => console.log("The database was put back"),
 * });
 * await commits.idle();
 * ```
 */
export function createCommits(options: CommitsOptions): Commits {
  const { log, guard, metrics, findRoom, others, onWentBack } = options;
  const locks = options.inTurn ? (navigator as WithLocks).locks : undefined;
  /** The rooms of the last commit. */
  let last: readonly CommittingRoom[] = [];

  /** The newest commit of this isolate. */
  let own = NO_COMMIT;
  /** The newest commit and the last place that were known when the one in flight began. */
  let known = { commit: NO_COMMIT, cursor: "" };

  async function append(entries: ReadonlyMap<string, LogEntry>): Promise<string> {
    const startedAt = performance.now();
    const position = others?.()?.position ?? NO_COMMIT;
    let cursor = "";
    for (const name of entries.keys()) {
      const at = findRoom(name)?.cursor ?? "";
      if (at > cursor) cursor = at;
    }
    known = { commit: own < position ? position : own, cursor };
    others?.()?.committing();
    const commit = await log.append(entries);
    const messages = [...entries.values()].reduce((sum, { count }) => sum + count, 0);
    metrics.observeCommit((performance.now() - startedAt) / 1000, messages);
    own = commit;
    return commit;
  }

  return new GroupCommit<RoomAppend>({
    limits: log,
    write: (entries) => locks ? locks.request(COMMIT_LOCK, () => append(entries)) : append(entries),
    async onCommit(commit, batch) {
      metrics.commits++;
      // Every commit has a greater place than what could be read before, unless that was lost.
      if (commit <= known.commit || cursorAt(commit, 0, 0) <= known.cursor) onWentBack();
      const behind = await others?.()?.committed(commit, batch.keys());
      const reads: Promise<void>[] = [];
      const rooms: CommittingRoom[] = [];
      for (const [name, appends] of batch) {
        // Rooms are gone where a drain gave up on them, and where the database was put back.
        appends.forEach((append, index) => {
          if (append.pending.isDismissed) append.pending.settleAlone(append, { commit, index });
        });
        const room = findRoom(name);
        if (!room) continue;
        rooms.push(room);
        guard.run("delivery_failed", () => {
          const isBehind = behind?.has(name) ?? false;
          const read = room.committed(commit, appends, { isBehind });
          if (read) reads.push(read);
        });
      }
      last = rooms;
      await Promise.all(reads);
    },
    onFailure(batch, error) {
      others?.()?.notCommitted();
      metrics.commitFailures++;
      const messages = [...batch.values()].reduce((sum, appends) => sum + appends.length, 0);
      guard.logger("error", "commit_failed", { rooms: batch.size, messages, error });
      for (const [name, appends] of batch) {
        for (const append of appends) {
          if (append.pending.isDismissed) append.pending.reject([append], error);
        }
        guard.run("delivery_failed", () => findRoom(name)?.notCommitted(appends, error));
      }
    },
    drained: async () => void await Promise.all(last.map((room) => room.flushed())),
  });
}
