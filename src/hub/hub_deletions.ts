/**
 * Deleting rooms and erasing users, over all isolates.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { decodeUser, type Problem } from "../protocol/mod.ts";
import { ROOM_DELETED, USER_ERASED } from "../store/change.ts";
import { ORIGIN } from "../store/cursor.ts";
import type { ErasedCounts } from "../store/room_meta.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Guard } from "../telemetry/guard.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { checkNames } from "./checked_names.ts";
import type { Room } from "./room.ts";

/** Rooms that are listed together, and records that one read brings. */
const ROOMS_PAGE = 100;
const PAGE = 400;
const PAGE_LENGTH = 256 * 1024;
/** Milliseconds between two times that it is told how far it is. */
const PROGRESS_MS = 1_000;

/** How far the erasing of a user is. */
export interface ErasureProgress extends ErasedCounts {
  /** Rooms that are done. */
  readonly rooms: number;
  /** Whether all are. */
  readonly done: boolean;
}

/** What {@linkcode HubDeletions} deletes from. */
export interface HubDeletionsOptions {
  /** The rooms. */
  readonly rooms: { obtain(name: string): Room };
  /** Their logs. */
  readonly log: RoomLog;
  /** Receives operational events. */
  readonly guard: Guard;
  /** The hub's counters. */
  readonly metrics: Metrics;
}

/**
 * Deletes rooms and erases users: by control records in the rooms' logs, in whose order all isolates
 * meet them. What stood there goes behind, and goes on where an isolate dies.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * await hub.publish("lobby", "mallory", { text: "hello" });
 * for await (const { messages } of hub.deletions.eraseUser("mallory")) console.log(messages); // 1
 * await hub.deletions.deleteRoom("lobby");
 * console.log(await hub.log.last("lobby", { limit: 1 })); // []
 * ```
 */
export class HubDeletions {
  readonly #options: HubDeletionsOptions;

  /**
   * Made by the hub.
   *
   * @param options The rooms and their logs.
   */
  constructor(options: HubDeletionsOptions) {
    this.#options = options;
  }

  /**
   * Deletes a room: from then on nobody reads what stood in it, and its members have to leave. What is
   * written later is a new room of that name.
   *
   * @param room The room's name.
   * @returns What is wrong, where that could not be stored; undefined when it holds.
   * @throws {TypeError} Where the protocol refuses the name.
   * @throws Whatever the store rejects with where the room cannot be read.
   */
  async deleteRoom(room: string): Promise<Problem | undefined> {
    checkNames("delete", room);
    const problem = await this.#append(room, { name: ROOM_DELETED, value: null });
    if (problem) return problem;
    this.#options.metrics.roomsDeleted++;
    void this.#clear(room);
    return undefined;
  }

  /**
   * Erases a user: what the user wrote in all rooms, the user's reactions, and read marks. Its members are
   * told in each room. What the user writes meanwhile may stay; a second call finds it. Where nobody reads on,
   * it ends after the room that it is at.
   *
   * @param user The user.
   * @returns How far it is, about once a second, and at the end.
   * @throws {TypeError} Where the protocol refuses the name.
   * @throws Whatever the store rejects with: a second call goes on.
   */
  async *eraseUser(user: string): AsyncGenerator<ErasureProgress, void> {
    const named = decodeUser(user);
    if (!named.ok) throw new TypeError(`Cannot erase user "${user}": ${named.error.message}`);
    const { log } = this.#options;
    const sum = { rooms: 0, messages: 0, reactions: 0, done: false };
    let toldAt = performance.now();
    const isDue = () => performance.now() - toldAt >= PROGRESS_MS;
    const progress = (): ErasureProgress => {
      toldAt = performance.now();
      return { ...sum };
    };
    for (let after: string | undefined, isLast = false; !isLast;) {
      const rooms: string[] = await log.rooms({ limit: ROOMS_PAGE, after });
      for (const room of rooms) {
        const found = this.#hasWritten(room, user);
        while (!await isSettled(found)) yield progress();
        if (await found) {
          const erased = this.#erase(room, user, sum);
          while (!await isSettled(erased)) yield progress();
          await erased;
        }
        sum.rooms++;
        if (isDue()) yield progress();
      }
      isLast = rooms.length < ROOMS_PAGE;
      after = rooms.at(-1);
    }
    const { userRooms } = log;
    await userRooms.forget(user, (await userRooms.list(user)).keys());
    this.#options.metrics.usersErased++;
    sum.done = true;
    yield progress();
  }

  async #erase(
    room: string,
    user: string,
    sum: { messages: number; reactions: number },
  ): Promise<void> {
    const problem = await this.#append(room, { name: USER_ERASED, value: { user } });
    if (problem) throw new Error(problem.message);
    await this.#options.log.eraseUser(room, user, ({ messages, reactions }) => {
      sum.messages += messages;
      sum.reactions += reactions;
    });
  }

  /** Whether anything in a room is left of what a user wrote. */
  async #hasWritten(room: string, user: string): Promise<boolean> {
    const { log } = this.#options;
    const { hasChanges } = await log.meta(room);
    for (let cursor = ORIGIN;;) {
      const records = await log.after(room, cursor, { limit: PAGE, maxLength: PAGE_LENGTH });
      if (records.some((record) => record.user === user && !isGone(record))) return true;
      if (records.length === 0) break;
      cursor = records[records.length - 1].cursor;
    }
    for (let cursor = ORIGIN; hasChanges;) {
      const changes = await log.changes(room, cursor, { limit: PAGE });
      if (changes.some((change) => change.kind === "reaction" && change.user === user)) return true;
      if (changes.length < PAGE) break;
      cursor = changes[changes.length - 1].cursor;
    }
    return false;
  }

  async #append(
    room: string,
    control: { readonly name: string; readonly value: { readonly user: string } | null },
  ): Promise<Problem | undefined> {
    const found = this.#options.rooms.obtain(room);
    using _hold = found.hold();
    await found.open();
    return await found.changes.controls.append(control);
  }

  async #clear(room: string): Promise<void> {
    const { guard, log, metrics } = this.#options;
    try {
      await log.clear(room);
    } catch (error) {
      // The next look at the tasks goes on.
      metrics.eraseFailures++;
      guard.logger("error", "erase_failed", { room, error });
    }
  }
}

function isGone(
  { isErased, repeats }: { readonly isErased?: true; readonly repeats?: string },
): boolean {
  return isErased === true || repeats !== undefined;
}

/** Waits for something to settle, some time. */
async function isSettled(action: Promise<unknown>): Promise<boolean> {
  const waiting = new AbortController();
  const settled = action.then(() => true, () => true);
  const late = delay(PROGRESS_MS, { signal: waiting.signal }).then(() => false, () => false);
  const result = await Promise.race([settled, late]);
  waiting.abort();
  return result;
}
