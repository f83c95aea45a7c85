/**
 * Which rooms grew, as the database tells it.
 *
 * @module
 */

import { cursorAt, ENTRY_MAX_RECORDS, isCommit, NO_COMMIT, TAG_MAX } from "../cursor.ts";
import type { Growth } from "../growth.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";
import { type HeadValue, isHead } from "./kv_reader.ts";

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

/** The base in which numbers are written. */
const BASE = 36;

/**
 * The feed: one key a commit, with its rooms and where their logs end since, and a bell that wakes
 * who watches. Each is marked, since a database that was put back may have another commit at a place.
 */
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

  /** Adds to an atomic what a commit tells of, and where its logs end: no check, no read. */
  compose(
    atomic: Deno.AtomicOperation,
    kv: Deno.Kv,
    heads: ReadonlyMap<string, HeadValue>,
  ): void {
    const { bell, feed } = this.#keys;
    const mark = Math.floor(Math.random() * MARKS).toString(BASE);
    this.#composed = mark;
    for (const [room, head] of heads) {
      const [index, tag] = head;
      atomic.set(this.#keys.head(room), head);
      // No name of a room holds a space or a slash.
      this.#composed += ` ${room}/${index.toString(BASE)}.${tag.toString(BASE)}`;
    }
    atomic.set([...feed, kv.commitVersionstamp()], this.#composed, { expireIn: EXPIRES_MS });
    atomic.set(bell, mark);
    if (this.#own.length >= KEPT) atomic.delete([...feed, this.#own[0]]);
  }

  /** Remembers a commit of this isolate, so that its feed is deleted some day. */
  committed(commit: string): void {
    this.#know(commit, this.#composed);
    // In a database that was put back these are others' commits.
    if (commit <= (this.#own.at(-1) ?? NO_COMMIT)) this.#own.length = 0;
    this.#own.push(commit);
    if (this.#own.length > KEPT) this.#own.shift();
  }

  /** As in {@linkcode RoomLog.grownSince}. */
  async grownSince(commit: string, until?: string): Promise<Growth | undefined> {
    const { feed } = this.#keys;
    const start = [...feed, commit];
    const selector = until === undefined
      ? { prefix: feed, start }
      : { start, end: [...feed, `${until}~`] };
    // Another commit at the place of one of them is none.
    const ends = new Map([commit, until].map((end) => [end, this.#known.get(end ?? commit)]));
    return await this.#handle.call("read what grew", async (kv, progress) => {
      const rooms = new Map<string, string>();
      let upTo: string | undefined;
      let [first, last] = ["", ""];
      let isWhole = until === undefined;
      for await (const { key, value } of kv.list<unknown>(selector, { batchSize: 500 })) {
        progress();
        const at = String(key.at(-1));
        // Foreign: it is not known what grew.
        if (!isCommit(at) || typeof value !== "string") return undefined;
        // Where the commit itself is still there, nothing after it has been deleted.
        if (upTo === undefined && at !== commit) return undefined;
        if ((ends.get(at) ?? value) !== value) return undefined;
        if (at === until) isWhole = true;
        else addRooms(rooms, at, value);
        upTo = at;
        last = value;
        first ||= value;
      }
      if (upTo === undefined || !isWhole) return undefined;
      this.#know(commit, first);
      this.#know(upTo, last);
      return { upTo, rooms };
    });
  }

  #know(commit: string, value: string): void {
    this.#known.delete(commit);
    this.#known.set(commit, value);
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!);
  }

  /** Whether the bell tells of a commit whose place another one had: the database was put back. */
  #isAnother({ versionstamp, value }: Deno.KvEntryMaybe<unknown>): boolean {
    const known = this.#known.get(versionstamp ?? NO_COMMIT);
    if (typeof value !== "string" || known === undefined) return false;
    if (known.slice(0, known.indexOf(" ")) === value) return false;
    this.#known.delete(versionstamp!);
    return true;
  }

  /** As in {@linkcode RoomLog.watch}. */
  watch(): ReadableStream<string> {
    const { bell } = this.#keys;
    let reader: ReadableStreamDefaultReader<[Deno.KvEntryMaybe<unknown>]> | undefined;
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
            (kv) => (reader = kv.watch<[unknown]>([bell]).getReader()).read(),
          );
          if (isCancelled) return;
          if (!done && !this.#isAnother(value[0])) {
            return stream.enqueue(value[0].versionstamp ?? NO_COMMIT);
          }
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

/** Adds the rooms of a commit, as its feed tells them. */
function addRooms(rooms: Map<string, string>, commit: string, told: string): void {
  for (const text of told.split(" ").slice(1)) {
    const [room, at = ""] = text.split("/");
    const head = at.split(".").map((number) => parseInt(number, BASE));
    // A feed of the form before 0.1.0 names rooms alone.
    const [index, tag] = isHead(head) ? head : [2 * ENTRY_MAX_RECORDS - 1, TAG_MAX];
    rooms.set(room, cursorAt(commit, index, tag));
  }
}
