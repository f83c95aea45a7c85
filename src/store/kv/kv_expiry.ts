/**
 * Where the messages that are kept begin, in Deno KV.
 *
 * @module
 */

import { isCommit } from "../cursor.ts";
import { Expiry, type ExpiryOptions } from "../expiry.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";
import type { KvRoomMeta } from "./kv_room_meta.ts";

/** What {@linkcode KvExpiry} decides by. */
export interface KvExpiryOptions extends ExpiryOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** Where logs count from. */
  readonly meta: KvRoomMeta;
}

const decoder = new TextDecoder();

/** Hides what has expired of logs in Deno KV. */
export class KvExpiry extends Expiry {
  readonly #options: KvExpiryOptions;

  /** @param options What is kept, and for how long. */
  constructor(options: KvExpiryOptions) {
    super(options);
    this.#options = options;
  }

  /** Reads the entries of a room from a commit on, in order. */
  protected override async scan(
    room: string,
    from: string,
    visit: (commit: string, text: string) => boolean,
  ): Promise<void> {
    const { handle, keys, meta } = this.#options;
    const range = { prefix: keys.log(room), start: from, limit: Infinity };
    await handle.call("find what expired", async (kv, progress) => {
      for await (const { commit, value } of meta.entries(kv, room, range, progress)) {
        // What nobody can read is as old as what stands before it.
        if (!isCommit(commit)) continue;
        const text = value instanceof Uint8Array ? decoder.decode(value) : "";
        if (!visit(commit, text)) return;
      }
    });
  }
}
