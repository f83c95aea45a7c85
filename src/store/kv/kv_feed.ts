/**
 * Which rooms grew, as the database tells it.
 *
 * @module
 */

import type { Growth } from "../room_log.ts";
import { NO_COMMIT } from "../cursor.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";

/**
 * Commits of an isolate that its feed reaches back to: with each commit the one before so many is
 * deleted. By number and not by age, for the clocks of isolates may differ, and after a quiet night
 * the feed still reaches back.
 */
const KEPT = 1_024;
/** Milliseconds after which what an isolate that is gone has left may go. */
const EXPIRES_MS = 24 * 60 * 60 * 1000;

/** The feed: one key a commit with the names of its rooms, and a bell that wakes who watches. */
export class KvFeed {
  readonly #handle: KvHandle;
  readonly #keys: KvKeys;
  readonly #own: string[] = [];

  /**
   * @param handle The database.
   * @param keys Its keys.
   */
  constructor(handle: KvHandle, keys: KvKeys) {
    this.#handle = handle;
    this.#keys = keys;
  }

  /** Adds what a commit tells to its atomic: no check, no read. */
  compose(atomic: Deno.AtomicOperation, kv: Deno.Kv, rooms: Iterable<string>): void {
    const { bell, feed } = this.#keys;
    // No name of a room holds a space.
    const names = [...rooms].join(" ");
    atomic.set([...feed, kv.commitVersionstamp()], names, { expireIn: EXPIRES_MS });
    atomic.set(bell, true);
    if (this.#own.length >= KEPT) atomic.delete([...feed, this.#own[0]]);
  }

  /** Remembers a commit of this isolate, so that its feed is deleted some day. */
  committed(commit: string): void {
    this.#own.push(commit);
    if (this.#own.length > KEPT) this.#own.shift();
  }

  /** As in {@linkcode RoomLog.grownSince}. */
  async grownSince(commit: string, before?: string): Promise<Growth | undefined> {
    const { feed } = this.#keys;
    const start = [...feed, commit];
    const selector = before === undefined
      ? { prefix: feed, start }
      : { start, end: [...feed, before] };
    return await this.#handle.call("read what grew", async (kv, progress) => {
      const rooms = new Map<string, string>();
      let upTo: string | undefined;
      for await (const { key, value } of kv.list<string>(selector, { batchSize: 500 })) {
        progress();
        const at = String(key.at(-1));
        // The commit itself is still there, so nothing after it has been deleted.
        if (upTo === undefined && at !== commit) return undefined;
        if (upTo !== undefined) { for (const room of value.split(" ")) rooms.set(room, at); }
        upTo = at;
      }
      return upTo === undefined ? undefined : { upTo, rooms };
    });
  }

  /** As in {@linkcode RoomLog.watch}. */
  watch(): ReadableStream<string> {
    const { bell } = this.#keys;
    let reader: ReadableStreamDefaultReader<[Deno.KvEntryMaybe<boolean>]> | undefined;
    let stopListening = () => {};
    let isCancelled = false;
    const stop = () => {
      stopListening();
      reader?.cancel().catch(() => {}); // It may have failed already.
    };
    return new ReadableStream<string>({
      start: (stream) => {
        stopListening = this.#handle.onReopen(() => {
          stop();
          if (!isCancelled) stream.close();
          isCancelled = true;
        });
      },
      pull: async (stream) => {
        try {
          // The first answer has a deadline: a connection that is dead is noticed by it.
          const { value, done } = reader ? await reader.read() : await this.#handle.call(
            "watch",
            (kv) => (reader = kv.watch<[boolean]>([bell]).getReader()).read(),
          );
          if (isCancelled) return;
          if (!done) return stream.enqueue(value[0].versionstamp ?? NO_COMMIT);
          isCancelled = true;
          stop();
          stream.close();
        } catch (error) {
          stop();
          if (!isCancelled) stream.error(error);
          isCancelled = true;
        }
      },
      cancel: () => {
        isCancelled = true;
        stop();
      },
    }, { highWaterMark: 0 });
  }
}
