/**
 * Which rooms grew, as the database tells it.
 *
 * @module
 */

import { isCommit, NO_COMMIT } from "../cursor.ts";
import type { Growth } from "../growth.ts";
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
/** Commits of which it is kept what their feed says. */
const KNOWN_MAX = 8;
/** How many different marks there are. */
const MARKS = 36 ** 5;

/** The feed: one key a commit with the names of its rooms, and a bell that wakes who watches. */
export class KvFeed {
  readonly #handle: KvHandle;
  readonly #keys: KvKeys;
  readonly #own: string[] = [];
  /** The newest commits that are known, and what their feed says. */
  readonly #known = new Map<string, string>();
  #composed = "";

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
    // No name of a room holds a space. A mark comes first: a database that was put back may have
    // another commit at the same place.
    const mark = Math.floor(Math.random() * MARKS).toString(36);
    this.#composed = [mark, ...rooms].join(" ");
    atomic.set([...feed, kv.commitVersionstamp()], this.#composed, { expireIn: EXPIRES_MS });
    atomic.set(bell, true);
    if (this.#own.length >= KEPT) atomic.delete([...feed, this.#own[0]]);
  }

  /** Remembers a commit of this isolate, so that its feed is deleted some day. */
  committed(commit: string): void {
    this.#know(commit, this.#composed);
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
      let told = "";
      for await (const { key, value } of kv.list<unknown>(selector, { batchSize: 500 })) {
        progress();
        const at = String(key.at(-1));
        // Foreign: it is not known what grew.
        if (!isCommit(at) || typeof value !== "string") return undefined;
        if (upTo === undefined) {
          // The commit itself is still there, so nothing after it has been deleted. Another one at
          // its place is none.
          if (at !== commit || (this.#known.get(commit) ?? value) !== value) return undefined;
        } else for (const room of value.split(" ").slice(1)) rooms.set(room, at);
        upTo = at;
        told = value;
      }
      if (upTo === undefined) return undefined;
      this.#know(upTo, told);
      return { upTo, rooms };
    });
  }

  #know(commit: string, value: string): void {
    this.#known.delete(commit);
    this.#known.set(commit, value);
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!);
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
