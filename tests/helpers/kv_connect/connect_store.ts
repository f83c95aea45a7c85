// A Deno KV behind KV Connect, in an SQLite database of its own: keys in the order of their bytes,
// one rising versionstamp for each commit, checks, and watches.

import { DatabaseSync } from "node:sqlite";
import { decode, encode, type Messages, type StoredEntry } from "./datapath.ts";

const SUCCESS = 1;
const CHECK_FAILED = 2;
/** The types of mutations, and of numbers. */
const [SET, DELETE, SUM, MAX, MIN, SET_VERSIONSTAMPED] = [1, 2, 3, 4, 5, 9];
const LE64 = 2;
/** Milliseconds between two signs of life of a watch. */
const PING_MS = 5_000;

type Row = { key: Uint8Array; value: Uint8Array; encoding: number; version: number };

/** The database of a stand-in for a KV server. */
export class ConnectStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #watches = new Set<() => void>();
  #version: number;

  /** @param path The database's file. */
  constructor(path = ":memory:") {
    const database = this.#database = new DatabaseSync(path);
    database.exec(
      "create table if not exists kv (key blob primary key, value blob not null, " +
        "encoding integer not null, version integer not null) without rowid",
    );
    const newest = database.prepare("select coalesce(max(version), 0) as version from kv").get();
    this.#version = Number(newest!.version);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /**
   * Answers a call.
   *
   * @param method What is called.
   * @param body The message of the call.
   * @returns The answer.
   */
  answer(method: string, body: Uint8Array): Response {
    switch (method) {
      case "snapshot_read":
        return new Response(this.#read(decode("SnapshotRead", body)));
      case "atomic_write":
        return new Response(this.#write(decode("AtomicWrite", body)));
      case "watch":
        return new Response(this.#watch(decode("Watch", body)));
      default:
        return new Response(null, { status: 404 });
    }
  }

  #read({ ranges }: Messages["SnapshotRead"]): Uint8Array<ArrayBuffer> {
    const read = ranges.map(({ start, end, limit, reverse }) => {
      const rows = this.#database.prepare(
        `select * from kv where key >= ? and key < ? order by key ${reverse ? "desc" : ""} limit ?`,
      ).all(start, end, limit) as Row[];
      return { values: rows.map(entryOf) };
    });
    const output = { ranges: read, readIsStronglyConsistent: true, status: SUCCESS };
    return encode("SnapshotReadOutput", output);
  }

  #get(key: Uint8Array): StoredEntry | undefined {
    const row = this.#database.prepare("select * from kv where key = ?").get(key);
    return row && entryOf(row as Row);
  }

  #write({ checks, mutations }: Messages["AtomicWrite"]): Uint8Array<ArrayBuffer> {
    const failedChecks = checks.flatMap(({ key, versionstamp }, index) => {
      const stands = this.#get(key)?.versionstamp ?? new Uint8Array();
      return stands.toString() === versionstamp.toString() ? [] : [index];
    });
    if (failedChecks.length > 0) {
      return encode("AtomicWriteOutput", { status: CHECK_FAILED, failedChecks });
    }
    // As SQLite's does, it leaves out some numbers.
    const version = this.#version += 1 + Math.floor(Math.random() * 9);
    const database = this.#database;
    database.exec("begin");
    for (const { key, value, mutationType } of mutations) {
      const { data, encoding } = value ?? { data: new Uint8Array(), encoding: 0 };
      const set = (key: Uint8Array, data: Uint8Array) =>
        database.prepare("insert or replace into kv values (?, ?, ?, ?)")
          .run(key, data, encoding, version);
      switch (mutationType) {
        case SET:
          set(key, data);
          break;
        case SET_VERSIONSTAMPED:
          set(withVersionstamp(key, version), data);
          break;
        case DELETE:
          database.prepare("delete from kv where key = ?").run(key);
          break;
        case SUM:
        case MAX:
        case MIN: {
          const stands = this.#get(key);
          if (encoding !== LE64 || (stands && stands.encoding !== LE64)) {
            database.exec("rollback");
            return encode("AtomicWriteOutput", { status: 0 });
          }
          set(key, stands ? combined(mutationType, stands.value, data) : data);
          break;
        }
      }
    }
    database.exec("commit");
    for (const tell of this.#watches) tell();
    return encode("AtomicWriteOutput", {
      status: SUCCESS,
      versionstamp: versionstampOf(version),
      failedChecks: [],
    });
  }

  #watch({ keys }: Messages["Watch"]): ReadableStream<Uint8Array<ArrayBuffer>> {
    const told = new Map<string, string>();
    let tell = () => {};
    let ping: ReturnType<typeof setInterval> | undefined;
    return new ReadableStream({
      start: (stream) => {
        tell = () => {
          const outputs = keys.map(({ key }) => {
            const entry = this.#get(key);
            const version = String(entry?.versionstamp);
            const changed = told.get(key.toString()) !== version;
            told.set(key.toString(), version);
            return { changed, entryIfChanged: changed ? entry : undefined };
          });
          if (!outputs.some(({ changed }) => changed)) return;
          stream.enqueue(framed(encode("WatchOutput", { status: SUCCESS, keys: outputs })));
        };
        tell();
        this.#watches.add(tell);
        ping = setInterval(() => stream.enqueue(framed(new Uint8Array())), PING_MS);
      },
      cancel: () => {
        this.#watches.delete(tell);
        clearInterval(ping);
      },
    });
  }
}

function entryOf({ key, value, encoding, version }: Row): StoredEntry {
  return { key, value, encoding, versionstamp: versionstampOf(version) };
}

/** A commit as ten bytes. */
function versionstampOf(version: number): Uint8Array {
  const bytes = new Uint8Array(10);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(version));
  return bytes;
}

/** A key with the commit as its last part: a text of 20 hexadecimal digits. */
function withVersionstamp(key: Uint8Array, version: number): Uint8Array {
  const text = new TextEncoder().encode(versionstampOf(version).toHex());
  return Uint8Array.from([...key, 2, ...text, 0]);
}

function combined(type: number, one: Uint8Array, other: Uint8Array): Uint8Array {
  const [a, b] = [one, other].map((bytes) =>
    new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  );
  const result = new Uint8Array(8);
  const value = type === SUM ? a + b : (type === MAX) === (a > b) ? a : b;
  new DataView(result.buffer).setBigUint64(0, value, true);
  return result;
}

/** A piece of a watch: its length as four bytes, then its bytes. */
function framed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(4 + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length, true);
  frame.set(bytes, 4);
  return frame;
}
