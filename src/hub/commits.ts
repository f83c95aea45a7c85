/**
 * The commits of a hub, and their delivery to its rooms.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { Cluster } from "../cluster/cluster.ts";
import { cursorAt, NO_COMMIT } from "../store/cursor.ts";
import type { LogEntry } from "../store/entry.ts";
import { GroupCommit } from "../store/group_commit.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Guard } from "../telemetry/guard.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { AppendPacer } from "./append_pacer.ts";
import { type CommitAppend, indexed } from "./room_append.ts";

/** Milliseconds before the store is asked again whether it holds a commit. */
const CONFIRM_MS = 500;
/** The Web Lock that the isolates of a process take in turn to commit. */
const COMMIT_LOCK = "hubbub.v1.commit";

/** The rooms that are behind where nobody else commits. */
const NO_ROOMS: ReadonlySet<string> = new Set();

/** The commits of a hub. */
export interface Commits {
  /**
   * Adds an append to the next commit.
   *
   * @param append The append.
   * @returns False where so much waits that it is not accepted.
   */
  add(append: CommitAppend): boolean;
  /**
   * The commit in flight.
   *
   * @returns Settles when it has ended; undefined where there is none. Never rejects.
   */
  inFlight(): Promise<void> | undefined;
  /** Settles when nothing is being committed or read back any more. Never rejects. */
  idle(): Promise<void>;
  /** Forgets what is known of the log: the database was put back. */
  forget(): void;
}

/** A room that messages are committed for. */
export interface CommittingRoom {
  /** Paces its appends. */
  readonly pacer: AppendPacer;
  /** The place up to which everything has been delivered. */
  readonly cursor: string;
  /**
   * Delivers messages that were committed; settles when that takes no more reads. Where the room is
   * behind, something was appended before them that it has not read.
   */
  committed(
    commit: string,
    appends: readonly CommitAppend[],
    options: { readonly isBehind: boolean },
  ): Promise<void> | undefined;
  /** Rejects messages of a commit that failed. */
  notCommitted(appends: readonly CommitAppend[], error: unknown): void;
}

/** How the commits of a hub behave. */
export interface CommitsOptions {
  /** The rooms' logs. */
  readonly log: Pick<RoomLog, "append" | "budget" | "entryMaxBytes" | "isLost">;
  /** Runs what rooms do, and logs. */
  readonly guard: Guard;
  /** The hub's counters. */
  readonly metrics: Metrics;
  /** Finds a room that is in memory. */
  readonly findRoom: (name: string) => CommittingRoom | undefined;
  /** Knows what other isolates commit to the same logs. @default {undefined} there are none */
  readonly others?: () =>
    | Pick<Cluster, "committed" | "committing" | "forget" | "notCommitted" | "position">
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
 * A room that fails at that is logged and counted. None holds up another: neither its members nor
 * the reading of its log.
 *
 * @param options Where commits go, and the rooms they are for.
 * @returns The commits, with nothing to do yet.
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
  const reads = new Set<Promise<void>>();

  let inFlight: Promise<void> | undefined;
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
    const messages = [...entries.values()].reduce((sum, { count, changes }) => {
      return sum + count + (changes?.changes.length ?? 0);
    }, 0);
    metrics.observeCommit((performance.now() - startedAt) / 1000, messages);
    own = commit;
    return commit;
  }

  function deliver(
    room: CommittingRoom,
    commit: string,
    batch: { readonly appends: readonly CommitAppend[]; readonly isBehind: boolean },
  ) {
    let read: Promise<void> | undefined;
    guard.run("delivery_failed", () => {
      read = room.committed(commit, batch.appends, { isBehind: batch.isBehind });
    });
    if (read) {
      // Where the room is given up before it has read so far, its owners know that they are stored.
      for (const [append, index] of indexed(batch.appends)) append.at = { commit, index };
      const confirmed = read.then(() => confirm(room, commit, batch.appends));
      const settled = confirmed.finally(() => reads.delete(settled));
      reads.add(settled);
    }
    // Other rooms do not wait for this one's members, nor for its read.
    void room.pacer.end(read);
  }

  function fail(batch: ReadonlyMap<string, readonly CommitAppend[]>, error: unknown): void {
    metrics.commitFailures++;
    const messages = [...batch.values()].reduce((sum, appends) => sum + appends.length, 0);
    guard.logger("error", "commit_failed", { rooms: batch.size, messages, error });
    for (const [name, appends] of batch) {
      for (const append of appends) {
        if (append.pending.isDismissed) append.pending.reject([append], error);
      }
      const room = findRoom(name);
      guard.run("delivery_failed", () => room?.notCommitted(appends, error));
      room?.pacer.fail();
    }
  }

  /** Rejects appends that went down with the database, which is noticed here if nowhere before. */
  function lose(appends: readonly CommitAppend[]): void {
    for (const append of appends) append.at = undefined;
    if (appends.every(({ pending }) => pending.isDismissed)) forget();
    else onWentBack();
    const error = new Error("The database was put back to an earlier state");
    for (const append of appends) append.pending.reject([append], error);
  }

  function forget(): void {
    // The commits that come have smaller places, as they should.
    own = NO_COMMIT;
    known = { commit: NO_COMMIT, cursor: "" };
    others?.()?.forget();
  }

  /** Makes sure that a commit is there which was not among what was read: its senders wait. */
  async function confirm(
    room: CommittingRoom,
    commit: string,
    appends: readonly CommitAppend[],
  ): Promise<void> {
    const [{ room: name, pending, at }] = appends;
    const { cursor } = pending.recordOf(appends[0], at!);
    const isWaiting = () => room.cursor < cursorAt(commit, 0, 0) && !pending.isDismissed;
    while (isWaiting()) {
      try {
        if (!await log.isLost(name, cursor)) return;
        if (isWaiting()) lose(appends);
        return;
      } catch {
        // The room could not be read either, and says so.
        await delay(CONFIRM_MS);
      }
    }
  }

  const group = new GroupCommit<CommitAppend>({
    limits: log,
    write(entries, { isRest }) {
      if (!isRest) {
        for (const [name, { count, changes }] of entries) {
          findRoom(name)?.pacer.begin(count + (changes?.changes.length ?? 0));
        }
      }
      const commit = locks ? locks.request(COMMIT_LOCK, () => append(entries)) : append(entries);
      const end = () => inFlight = undefined;
      inFlight = commit.then(end, end);
      return commit;
    },
    async onCommit(commit, batch) {
      metrics.commits++;
      // Every commit has a greater place than what could be read before, unless that was lost.
      if (commit <= known.commit || cursorAt(commit, 0, 0) <= known.cursor) onWentBack();
      const cluster = others?.();
      const behind = cluster ? await cluster.committed(commit, batch.keys()) : NO_ROOMS;
      if (!behind) {
        for (const appends of batch.values()) lose(appends);
        return;
      }
      for (const [name, appends] of batch) {
        // Rooms are gone where a drain gave up on them, and where the database was put back.
        if (appends.some(({ pending }) => pending.isDismissed)) {
          for (const [append, index] of indexed(appends)) {
            if (append.pending.isDismissed) append.pending.settleAlone(append, { commit, index });
          }
        }
        const room = findRoom(name);
        if (room) deliver(room, commit, { appends, isBehind: behind.has(name) });
      }
    },
    onClaimed(claimed, names) {
      others?.()?.notCommitted();
      for (const [append, claim] of claimed) void append.pending.claimed?.(append, claim);
      for (const name of names) findRoom(name)?.pacer.fail();
    },
    onFailure(batch, error) {
      others?.()?.notCommitted();
      fail(batch, error);
    },
  });

  return {
    add: (append) => group.add(append),
    inFlight: () => inFlight,
    forget,
    async idle() {
      do {
        await group.idle();
        await Promise.all(reads);
      } while (reads.size > 0);
    },
  };
}
