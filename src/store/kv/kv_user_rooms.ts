/**
 * Users' rooms and read marks in Deno KV.
 *
 * @module
 */

import type { ReadMark, UserRooms } from "../user_rooms.ts";
import { untilWritten } from "./checked_write.ts";
import type { KvKeys } from "./keys.ts";
import type { KvHandle } from "./kv_handle.ts";

/** Rooms that one round trip brings, and that one commit deletes. */
const BATCH = 500;
/** Hexadecimal digits of the 64 bits of a versionstamp that are kept, and what stands for the rest. */
const KEPT_DIGITS = 16;
const REST = "ffff";

/** What {@linkcode KvUserRooms} uses. */
export interface KvUserRoomsOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
}

/** Keeps each mark as a number of 64 bits, which the database itself keeps from going back. */
export class KvUserRooms implements UserRooms {
  readonly #options: KvUserRoomsOptions;

  /** @param options The database. */
  constructor(options: KvUserRoomsOptions) {
    this.#options = options;
  }

  /** Writes rooms down for a user, and moves their marks. */
  async mark(user: string, marks: ReadonlyMap<string, ReadMark>): Promise<void> {
    const { handle, keys } = this.#options;
    // With several isolates on one SQLite file it may be locked: a maximum is read before it is written.
    await untilWritten(async () => {
      await handle.call("mark", (kv) => {
        const atomic = kv.atomic();
        for (const [room, mark] of marks) {
          atomic.max([...keys.userRooms(user), room], BigInt(`0x${mark.slice(0, KEPT_DIGITS)}`));
        }
        return atomic.commit();
      });
      return true;
    });
  }

  /** Reads the rooms of a user. */
  async list(user: string): Promise<ReadonlyMap<string, ReadMark>> {
    const { handle, keys } = this.#options;
    const prefix = keys.userRooms(user);
    return await handle.call("list", async (kv, progress) => {
      const found = new Map<string, ReadMark>();
      for await (const { key, value } of kv.list({ prefix }, { batchSize: BATCH })) {
        progress();
        if (!(value instanceof Deno.KvU64)) continue;
        found.set(String(key.at(-1)), value.value.toString(16).padStart(KEPT_DIGITS, "0") + REST);
      }
      return found;
    });
  }

  /** Forgets rooms of a user. */
  async forget(user: string, rooms: Iterable<string>): Promise<void> {
    const { handle, keys } = this.#options;
    const all = [...rooms];
    for (let at = 0; at < all.length; at += BATCH) {
      await handle.call("forget", (kv) => {
        const atomic = kv.atomic();
        for (const room of all.slice(at, at + BATCH)) {
          atomic.delete([...keys.userRooms(user), room]);
        }
        return atomic.commit();
      });
    }
  }
}
