/**
 * Whether records still stand where they stood, in Deno KV.
 *
 * @module
 */

import { commitOf, isOfChange, ORIGIN } from "../cursor.ts";
import { holdsRecord } from "../standing.ts";
import type { KvExpiry } from "./kv_expiry.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";
import type { KvRoomMeta } from "./kv_room_meta.ts";

const decoder = new TextDecoder();

/** What {@linkcode KvPlaces} looks at. */
export interface KvPlacesOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** What has expired. */
  readonly expiry: KvExpiry;
  /** Where logs count from. */
  readonly meta: KvRoomMeta;
}

/** Knows whether records were lost: see `RoomLog.isLost()`. */
export class KvPlaces {
  readonly #options: KvPlacesOptions;

  /** @param options The database. */
  constructor(options: KvPlacesOptions) {
    this.#options = options;
  }

  /** As in {@linkcode RoomLog.isLost}. */
  async isLost(room: string, cursor: string): Promise<boolean> {
    if (cursor === ORIGIN) return false;
    const { handle, keys, expiry, meta } = this.#options;
    const commit = commitOf(cursor);
    const prefix = isOfChange(cursor) ? keys.changes(room) : keys.log(room);
    const [entry, swept] = await handle.call("get", (kv) => {
      return kv.getMany<[unknown, unknown]>([[...prefix, commit], keys.swept(room)]);
    });
    if (entry.versionstamp !== null) return !stands(entry.value, room, cursor);
    // Retention may have removed it, as this isolate or the database knows; or its room is gone.
    if (typeof swept.value === "string" && commit < swept.value) return false;
    if (cursor < await handle.call("get", (kv) => meta.from(kv, room))) return false;
    return cursor >= await expiry.first(room);
  }
}

/**
 * Tells whether an entry of the log holds the record of a cursor.
 *
 * @param value The entry at the cursor's commit.
 * @param room The room.
 * @param cursor The cursor.
 * @returns True also where what stands there cannot be read.
 */
export function stands(value: unknown, room: string, cursor: string): boolean {
  return !(value instanceof Uint8Array) || holdsRecord(decoder.decode(value), room, cursor);
}
