/**
 * Changes and states in Deno KV.
 *
 * @module
 */

import { CHANGED, type ChangeRecord, decodeChanges } from "../change.ts";
import type { ChangeEntry, StateItem } from "../change_entry.ts";
import { CHANGES_FROM, commitOf, cursorAt, placeOf, tagOf } from "../cursor.ts";
import { PlaceLostError } from "../place_lost.ts";
import type { ChangesOptions, MessageStates, StatesOptions } from "../read_options.ts";
import type { KvExpiry } from "./kv_expiry.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";
import { writeClaim } from "./kv_claims.ts";
import { nextStep } from "./kv_list.ts";
import { type KvPlaces, stands } from "./kv_places.ts";
import type { KvRoomMeta } from "./kv_room_meta.ts";

/** States that one round trip brings at most. */
const STATES_BATCH = 500;
/** Times that the states of one message are read again, while it is changed without pause. */
const ATTEMPTS_MAX = 20;

/** A cursor after all others. */
const END = "~";

/** The value of a state: the index of its change, its tag, and JSON text in UTF-8. */
type StateValue = readonly [index: number, tag: number, text?: Uint8Array];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What {@linkcode KvChanges} reads. */
export interface KvChangesOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** What has expired. */
  readonly expiry: KvExpiry;
  /** Where logs count from. */
  readonly meta: KvRoomMeta;
  /** Knows whether records were lost. */
  readonly places: KvPlaces;
  /** Called for each record that cannot be read. */
  readonly onDamaged: (room: string, cursor: string) => void;
}

/** Writes changes and their states into commits, and reads them. */
export class KvChanges {
  readonly #options: KvChangesOptions;

  /** @param options The database. */
  constructor(options: KvChangesOptions) {
    this.#options = options;
  }

  /** Adds a room's changes to an atomic, which checks nothing but that their names are free. */
  compose(atomic: Deno.AtomicOperation, kv: Deno.Kv, room: string, entry: ChangeEntry): void {
    const { keys, meta } = this.#options;
    atomic.set([...keys.changes(room), kv.commitVersionstamp()], entry.bytes);
    // Many changes of one commit may set the same state.
    const states = new Map<string, [Deno.KvKey, StateValue | undefined]>();
    const edited = new Set<string>();
    entry.changes.forEach(({ id, states: writes, edits, deletes, claim }, position) => {
      const at = [CHANGES_FROM + position, tagOf(id)] as const;
      for (const { message, name, value } of writes) {
        const prefix = message === undefined ? keys.controls(room) : [...keys.state(room), message];
        const stored: StateValue | undefined = value === null
          ? undefined
          : message !== undefined && value === "1"
          ? at
          : [...at, encoder.encode(value)];
        states.set(`${message}\n${name.join("\n")}`, [[...prefix, ...name], stored]);
      }
      if (claim) writeClaim(atomic, keys.claim(room, claim.name), [...at, claim.hash, id]);
      if (edits !== undefined) edited.add(edits);
      if (deletes !== undefined) atomic.set([...keys.erase, room, deletes], Date.now());
    });
    for (const [key, value] of states.values()) {
      if (value) atomic.set(key, value);
      else atomic.delete(key);
    }
    for (const message of edited) {
      atomic.set([...keys.edits(room, message), kv.commitVersionstamp()], true);
    }
    meta.compose(atomic, room, entry.changes);
  }

  /** As in {@linkcode RoomLog.changes}. */
  async changes(room: string, cursor: string, options: ChangesOptions): Promise<ChangeRecord[]> {
    const { handle, keys, expiry, meta, places } = this.#options;
    const { limit, until, newest = false, follows = false } = options;
    const from = placeOf(cursor);
    if (limit <= 0 || (until !== undefined && placeOf(until) <= from)) return [];
    const first = await expiry.first(room);
    const range = {
      prefix: keys.changes(room),
      start: commitOf(cursor),
      end: until === undefined ? undefined : commitOf(until) + "~",
      reverse: newest,
      limit,
    };
    let isSure = !follows;
    const read = await handle.call("read changes", async (kv, progress) => {
      const found: ChangeRecord[] = [];
      const listed = meta.entries(kv, room, range, progress);
      for await (const { commit, value, from: counted } of listed) {
        isSure ||= commit === commitOf(cursor) && stands(value, room, cursor);
        const records = this.#decode(room, commit, value);
        for (const record of newest ? records.reverse() : records) {
          if (placeOf(record.cursor) <= from || record.cursor > (until ?? END)) continue;
          if (record.cursor < counted) continue;
          if (record.kind !== "control" && record.message < max(first, counted)) continue;
          found.push(record);
          if (found.length >= limit) return newest ? found.reverse() : found;
        }
      }
      return newest ? found.reverse() : found;
    });
    if (!isSure && await places.isLost(room, cursor)) throw new PlaceLostError(room, cursor);
    return read;
  }

  /** Whether a change stands at a place. */
  async has(room: string, cursor: string): Promise<boolean> {
    const { handle, keys } = this.#options;
    const commit = commitOf(cursor);
    const key = [...keys.changes(room), commit];
    const [{ value }, from] = await handle.call("get", (kv) => {
      return Promise.all([kv.get<Uint8Array>(key), this.#options.meta.from(kv, room)]);
    });
    return value !== null && cursor >= from &&
      this.#decode(room, commit, value).some((record) => record.cursor === cursor);
  }

  /** As in {@linkcode RoomLog.controls}. */
  async controls(room: string): Promise<StateItem[]> {
    const { handle, keys, meta } = this.#options;
    const prefix = keys.controls(room);
    return await handle.call("read controls", async (kv, progress) => {
      const found: StateItem[] = [];
      const from = await meta.from(kv, room);
      for await (const entry of kv.list<StateValue>({ prefix }, { batchSize: STATES_BATCH })) {
        progress();
        found.push(itemOf(entry, prefix.length));
      }
      return found.filter(({ cursor }) => cursor > from);
    });
  }

  /** As in {@linkcode RoomLog.states}. */
  async states(room: string, options: StatesOptions): Promise<MessageStates> {
    const { handle, keys, meta } = this.#options;
    const { from, to, limit, reverse = false } = options;
    const prefix = keys.state(room);
    const found = new Map<string, StateItem[]>();
    /** Messages whose states came in several round trips, each of which shows another moment. */
    const torn: string[] = [];
    const next = await handle.call("read states", async (kv, progress) => {
      let selector = { start: [...prefix, from], end: [...prefix, to + "\0"] };
      let count = 0;
      let last: string | undefined;
      for (let step = nextStep(STATES_BATCH);;) {
        const options = { limit: step, batchSize: step, reverse };
        const listed = kv.list<StateValue>(selector, options);
        let isFirst = true;
        let [size, bytes] = [0, 0];
        let key: Deno.KvKey = [];
        for await (const entry of listed) {
          size++;
          bytes += entry.value[2]?.byteLength ?? 0;
          key = entry.key;
          const message = String(key[prefix.length]);
          if (message !== last) {
            if (count >= limit) return message;
            last = message;
            found.set(message, []);
          } else if (isFirst) torn.push(message);
          isFirst = false;
          count++;
          found.get(message)!.push(itemOf(entry, prefix.length + 1));
        }
        progress();
        if (size < step) return undefined;
        step = nextStep(STATES_BATCH, { count: size, bytes });
        selector = reverse
          ? { start: selector.start, end: [...key] }
          : { start: [...key, ""], end: selector.end };
      }
    });
    for (const message of new Set(torn)) {
      found.set(message, await this.#statesOf(room, message));
    }
    // Behind the states: who has the messages must know whether all of this was of a deleted room.
    const counted = await handle.call("read meta", (kv) => meta.from(kv, room));
    for (const message of found.keys()) if (message < counted) found.delete(message);
    return { messages: found, next, from: counted };
  }

  /** Reads the states of one message that are too many for a round trip. */
  async #statesOf(room: string, message: string): Promise<StateItem[]> {
    const { handle, keys } = this.#options;
    const prefix = [...keys.state(room), message];
    return await handle.call("read states", async (kv, progress) => {
      for (let attempt = 1;; attempt++) {
        const before = await kv.get([...prefix, CHANGED]);
        const items: StateItem[] = [];
        for await (const entry of kv.list<StateValue>({ prefix }, { batchSize: STATES_BATCH })) {
          items.push(itemOf(entry, prefix.length));
        }
        const after = await kv.get([...prefix, CHANGED]);
        progress();
        if (before.versionstamp === after.versionstamp || attempt === ATTEMPTS_MAX) return items;
      }
    });
  }

  #decode(room: string, commit: string, value: unknown): ChangeRecord[] {
    const damaged = (index: number) => this.#options.onDamaged(room, cursorAt(commit, index, 0));
    if (value instanceof Uint8Array) return decodeChanges(decoder.decode(value), commit, damaged);
    damaged(CHANGES_FROM);
    return [];
  }
}

function itemOf({ key, value, versionstamp }: Deno.KvEntry<StateValue>, from: number): StateItem {
  const [index, tag, text] = value;
  return {
    name: key.slice(from).map(String),
    value: text ? decoder.decode(text) : "1",
    cursor: cursorAt(versionstamp, index, tag),
  };
}

function max(one: string, other: string): string {
  return one > other ? one : other;
}
