// Copies the logs of a Deno KV into an empty PostgreSQL, each message at the place where it stood: links
// and cursors of clients stay right. No server may run over either of them meanwhile.
//   HUBBUB_KV=hubbub.sqlite3 HUBBUB_POSTGRES=postgres://… deno task move

import { KvRoomLog } from "@hubbub/hub";
import { PostgresRoomLog } from "@hubbub/hub/postgres";
import { ORIGIN } from "../src/store/cursor.ts";
import { KvKeys } from "../src/store/kv/keys.ts";
import type { HeadValue } from "../src/store/kv/kv_reader.ts";
import { parsePostgresAddress } from "../src/store/postgres/postgres_address.ts";
import { openClient, type Sql } from "../src/store/postgres/postgres_pool.ts";
import { PART_END } from "../src/store/postgres/postgres_changes.ts";
import { numberOf } from "../src/store/postgres/counted_places.ts";

/** Entries that one statement writes. */
const BATCH = 100;
const SCHEMA = "hubbub";

/** What was copied. */
export interface Moved {
  readonly rooms: number;
  readonly entries: number;
}

/**
 * Copies all logs.
 *
 * @param from The Deno KV.
 * @param to The address of a PostgreSQL that has no messages yet.
 * @returns How much was copied.
 * @throws {Error} Where there are messages, or one of them could not be copied as it is.
 */
export async function moveToPostgres(from: Deno.Kv, to: string): Promise<Moved> {
  await using target = await PostgresRoomLog.open(to);
  if ((await target.rooms({ limit: 1 })).length > 0) {
    throw new Error("The PostgreSQL has messages already: they would be mixed up");
  }
  const sql = openClient(parsePostgresAddress(to), { max: 1 });
  try {
    return await sql.begin((sql) => copyAll(from, sql as unknown as Sql)) as Moved;
  } finally {
    await sql.end();
  }
}

async function copyAll(kv: Deno.Kv, sql: Sql): Promise<Moved> {
  const keys = new KvKeys([]);
  const source = new KvRoomLog(kv);
  let [rooms, entries, last] = [0, 0, 0n];
  let after: string | undefined;
  for (;;) {
    const names = await source.rooms({ limit: 100, after });
    if (names.length === 0) break;
    for (const room of names) {
      const { from, erasing } = await source.meta(room);
      // What was deleted is not copied.
      if (from !== ORIGIN) await source.clear(room);
      for (const user of erasing.keys()) await source.eraseUser(room, user);
      entries += await copyEntries(kv, sql, { room, table: "entries", prefix: keys.log(room) });
      await copyEntries(kv, sql, { room, table: "changes", prefix: keys.changes(room) });
      await copyStates(kv, sql, { room, keys });
      const head = await kv.get<HeadValue>(keys.head(room));
      if (head.value === null) continue;
      const swept = (await kv.get<string>(keys.swept(room))).value;
      const place = numberOf(head.versionstamp);
      const { hasChanges, hasControls } = await source.meta(room);
      await sql.unsafe(
        `insert into ${SCHEMA}.rooms
        (room, place, index, tag, swept, has_changes, has_controls,
          from_place, from_index, from_tag)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [room, place, ...head.value, swept, hasChanges, hasControls, ...await fromOf(kv, room)],
      );
      rooms++;
      if (BigInt(place) > last) last = BigInt(place);
    }
    after = names[names.length - 1];
  }
  // Behind all that the KV could have given, also to what was deleted.
  const { value: id, versionstamp } = await kv.get<string>(keys.id);
  const bell = (await kv.get(keys.bell)).versionstamp;
  for (const stamp of [versionstamp, bell]) {
    if (stamp !== null && BigInt(`0x${stamp}`) > last) last = BigInt(`0x${stamp}`);
  }
  if (last > 0n) await sql.unsafe(`select setval('${SCHEMA}.places', $1)`, [String(last)]);
  if (id !== null) {
    await sql.unsafe(`update ${SCHEMA}.system set value = $1 where name = 'id'`, [id]);
  }
  await copyUserRooms(kv, sql, keys);
  return { rooms, entries };
}

/** Copies the rooms that users were in, with their read marks. */
async function copyUserRooms(kv: Deno.Kv, sql: Sql, keys: KvKeys): Promise<void> {
  const source = new KvRoomLog(kv).userRooms;
  let last: string | undefined;
  for await (const { key } of kv.list({ prefix: keys.users }, { batchSize: 500 })) {
    const user = String(key[keys.users.length]);
    if (user === last) continue;
    last = user;
    const rows = [...await source.list(user)].map(([room, mark]) => ({ room, mark }));
    await sql.unsafe(
      `insert into ${SCHEMA}.user_rooms (who, room, mark)
      select $1, room, mark from json_to_recordset($2::text::json) as r (room text, mark text)`,
      [user, JSON.stringify(rows)],
    );
  }
}

/** The place from which a log counts, for the columns that hold it. */
async function fromOf(kv: Deno.Kv, room: string): Promise<(string | number | null)[]> {
  const { value, versionstamp } = await kv.get<HeadValue>(new KvKeys([]).from(room));
  return value === null ? [null, null, null] : [numberOf(versionstamp), ...value];
}

async function copyEntries(
  kv: Deno.Kv,
  sql: Sql,
  from: { readonly room: string; readonly table: string; readonly prefix: Deno.KvKey },
): Promise<number> {
  const { room, table, prefix } = from;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let count = 0;
  let batch: { place: string; body: string }[] = [];
  const flush = async () => {
    const rows = JSON.stringify(batch);
    const { count: written } = await sql.unsafe(
      `insert into ${SCHEMA}.${table} (room, place, body)
      select $1, place, body from json_to_recordset($2::text::json) as e (place bigint, body text)`,
      [room, rows],
    );
    if (written !== batch.length) throw new Error(`${written} of ${batch.length} entries arrived`);
    count += written;
    batch = [];
  };
  for await (const { key, value } of kv.list<Uint8Array>({ prefix }, { batchSize: 50 })) {
    batch.push({ place: numberOf(String(key.at(-1))), body: decoder.decode(value) });
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return count;
}

/** The value of a state in the KV. */
type StateValue = readonly [index: number, tag: number, text?: Uint8Array];

/** Copies the states of a room and of its messages, and what is to be erased. */
async function copyStates(
  kv: Deno.Kv,
  sql: Sql,
  { room, keys }: { readonly room: string; readonly keys: KvKeys },
): Promise<void> {
  const decoder = new TextDecoder();
  const states = [
    { prefix: keys.state(room), hasMessage: true },
    { prefix: keys.controls(room), hasMessage: false },
  ];
  for (const { prefix, hasMessage } of states) {
    for await (const { key, value, versionstamp } of kv.list<StateValue>({ prefix })) {
      const parts = key.slice(prefix.length).map(String);
      const message = hasMessage ? parts.shift()! : "";
      const [index, tag, text] = value;
      await sql.unsafe(
        `insert into ${SCHEMA}.states (room, message, name, value, place, index, tag)
        values ($1, $2, $3, $4, $5, $6, $7)`,
        [
          room,
          message,
          parts.join(PART_END),
          text ? decoder.decode(text) : "1",
          numberOf(versionstamp),
          index,
          tag,
        ],
      );
    }
  }
  for await (const { key } of kv.list({ prefix: keys.edits(room) })) {
    const [message, commit] = key.slice(-2).map(String);
    await sql.unsafe(`insert into ${SCHEMA}.edits values ($1, $2, $3)`, [
      room,
      message,
      numberOf(commit),
    ]);
  }
  for await (const { key } of kv.list({ prefix: [...keys.erase, room] })) {
    await sql.unsafe(`insert into ${SCHEMA}.erasures (room, message) values ($1, $2)`, [
      room,
      String(key.at(-1)),
    ]);
  }
}

if (import.meta.main) {
  const [from, to] = [
    Deno.env.get("HUBBUB_KV") || "hubbub.sqlite3",
    Deno.env.get("HUBBUB_POSTGRES"),
  ];
  if (!to) {
    console.error(
      "Where to? HUBBUB_POSTGRES=postgres://user:password@host/database deno task move",
    );
    Deno.exit(2);
  }
  if (!/^https?:/.test(from)) Deno.statSync(from);
  using kv = await Deno.openKv(from);
  const { rooms, entries } = await moveToPostgres(kv, to);
  console.log(`Copied ${rooms} rooms, ${entries} entries`);
}
