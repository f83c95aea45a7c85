// What changes cost those who do not change anything, counted in reads of the database.

import { assert, assertEquals } from "@std/assert";
import { Hub, KvRoomLog } from "@hubbub/hub";
import { type PresentPage, readPresentPage } from "../../src/hub/present_page.ts";
import { lengthOf } from "../../src/hub/read_records.ts";
import { storedChange, withChanges } from "../helpers/change_contract.ts";
import { fill, numbers } from "../helpers/stored_lines.ts";
import { cursorAt, ORIGIN, tagOf } from "../../src/store/cursor.ts";

/** Counts the keys that are read, by what they are. */
function countReads(kv: Deno.Kv): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (kind: string) => void counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const get = kv.get.bind(kv);
  kv.get = <T>(...args: Parameters<typeof get>) => {
    count(`get ${String(args[0].at(2) ?? args[0][0])}`);
    return get<T>(...args);
  };
  const list = kv.list.bind(kv);
  kv.list = <T>(...[selector, options]: Parameters<typeof list>) => {
    const listed = list<T>(selector, options);
    const prefix = "prefix" in selector ? selector.prefix : selector.start;
    count(`list ${String(prefix[2] ?? prefix[0])}`);
    const next = listed.next.bind(listed);
    listed.next = async () => {
      const result = await next();
      if (!result.done) count(`key ${String(prefix[2] ?? prefix[0])}`);
      return result;
    };
    return listed;
  };
  return counts;
}

async function joinOnce(kv: Deno.Kv, onFirst = () => {}): Promise<string[]> {
  const texts: string[] = [];
  const hub = new Hub(new KvRoomLog(kv), { alone: true, logger() {} });
  const member = {
    user: "ann",
    send: ({ envelopes }: { envelopes: readonly string[] }) => void texts.push(...envelopes),
    close() {},
  };
  // What holds in all rooms is read once, with the first of them.
  await hub.join("first", { user: "ann", send() {}, close() {} }).joined;
  onFirst();
  await hub.join("lobby", member).joined;
  await hub.drain();
  return texts;
}

Deno.test("a room without changes reads one small key more when it is opened", async () => {
  using kv = await Deno.openKv(":memory:");
  await fill(new KvRoomLog(kv), "lobby", { texts: numbers(20), perEntry: 1 });
  const counts = countReads(kv);
  await joinOnce(kv, () => counts.clear());
  assertEquals(counts.get("list meta"), 1);
  assertEquals(counts.get("key meta"), undefined, "there is nothing in it");
  // The messages as ever: ten and then the rest, and from where they count beside them.
  assertEquals([counts.get("list log"), counts.get("get meta")], [2, 1]);
  assertEquals(counts.get("get head"), undefined);
  for (const kind of ["changes", "state", "controls", "edits"]) {
    assertEquals([counts.get(`list ${kind}`), counts.get(`get ${kind}`)], [undefined, undefined]);
  }
});

Deno.test("a page of a room without changes reads two small keys more", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  await fill(log, "lobby", { texts: numbers(20), perEntry: 1 });
  const counts = countReads(kv);
  const page = await readPresentPage(log, "lobby", { limit: 10, maxLength: 1e6 });
  assertEquals(page.messages.length, 10);
  const kinds = [...counts.keys()].filter((kind) =>
    kind.startsWith("list") || kind.startsWith("get")
  );
  // Beside the messages from where they count, and behind them whether they were changed.
  assertEquals(kinds.toSorted(), ["get meta", "list log", "list meta"]);
});

Deno.test("100,000 reactions to a message leave the last 10 as cheap as without", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const [commit] = await fill(log, "lobby", { texts: numbers(20), perEntry: 20 });
  const newest = cursorAt(commit, 19, tagOf("id of 19"));
  // By 500 users, each of whom changes its mind 200 times.
  for (let round = 0; round < 200; round++) {
    for (let at = 0; at < 500; at += 250) {
      const changes = numbers(250, at).map((user) => {
        return storedChange(newest, {
          kind: "reaction",
          emoji: "👍",
          user,
          status: round % 2 === 0,
        });
      });
      await log.append(new Map([["lobby", withChanges(changes)]]));
    }
  }
  const counts = countReads(kv);
  const texts = await joinOnce(kv);
  assertEquals(texts.filter((text) => text.includes('"chat_message"')).length, 10);
  assertEquals(counts.get("list changes"), undefined);
  const read = [...counts].filter(([kind]) => kind.startsWith("key"))
    .reduce((sum, [, count]) => sum + count, 0);
  assert(read < 20, `${read} keys were read: ${JSON.stringify([...counts])}`);
});

Deno.test("missed edits come in pages bounded in length, and none to who has nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const [first, second] = await fill(log, "lobby", { texts: numbers(2), perEntry: 1 });
  const message = cursorAt(first, 0, tagOf("id of 0"));
  const end = cursorAt(second, 0, tagOf("id of 1"));
  const text = "x".repeat(4_000);
  for (let at = 0; at < 600; at += 10) {
    const changes = numbers(10, at).map((id) => {
      return storedChange(message, { kind: "edit", text: `${id} ${text}` });
    });
    await log.append(new Map([["lobby", withChanges(changes)]]));
  }
  const counts = countReads(kv);
  const whole = await readPresentPage(log, "lobby", {
    limit: 10,
    maxLength: 262_144,
    after: ORIGIN,
  });
  assertEquals([whole.messages.length, whole.changes, whole.newer], [2, [], null]);
  assertEquals(counts.get("list changes"), undefined);
  const seen: string[] = [];
  for (let after: string | null = end; after !== null;) {
    const page: PresentPage = await readPresentPage(log, "lobby", {
      limit: 10,
      maxLength: 262_144,
      after,
    });
    assert(lengthOf(page.changes) < 2 * 262_144, `${lengthOf(page.changes)}`);
    seen.push(...page.changes.map(({ cursor }) => cursor));
    assert(page.newer === null || page.newer > after);
    after = page.newer;
  }
  assertEquals([seen.length, new Set(seen).size], [600, 600]);
  assertEquals(seen, seen.toSorted());
});
