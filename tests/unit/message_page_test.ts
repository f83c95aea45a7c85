import { assert, assertEquals, assertLess } from "@std/assert";
import { Hub, KvRoomLog, type Member } from "@hubbub/hub";
import { firstPage, lastPage, PAGE_LENGTH, withoutDuplicates } from "../../src/hub/message_page.ts";
import type { LogRecord } from "../../src/store/entry.ts";

function records(lengths: readonly number[]): LogRecord[] {
  return lengths.map((length, i) => ({
    cursor: String(i),
    id: String(i),
    user: "ann",
    sentAt: "",
    envelope: "x".repeat(length),
  }));
}

Deno.test("firstPage() and lastPage() take what fits, and some in any case", () => {
  const ids = (page: readonly LogRecord[]) => page.map(({ id }) => id).join("");
  const found = records([10, 20, 30, 40, 50]);
  assertEquals(ids(firstPage(found, { maxLength: 60 })), "012");
  assertEquals(ids(lastPage(found, { maxLength: 95 })), "34");
  assertEquals(ids(firstPage(found, { maxLength: 5 })), "0");
  assertEquals(ids(lastPage(found, { maxLength: 5 })), "4");
  assertEquals(ids(lastPage(found, { maxLength: 5, min: 3 })), "234");
  assertEquals(ids(firstPage(found)), "01234");
  assertEquals([firstPage([]), lastPage([])], [[], []]);
});

Deno.test("withoutDuplicates() shows one of what was stored twice", () => {
  const [a, b, c] = records([10, 10, 10]);
  const again = { ...a, cursor: "3" };
  const withRef = { ...b, ref: "1", cursor: "4" };
  const other = { ...c, id: "x", ref: "1", cursor: "5" };
  const shown = withoutDuplicates([a, b, again, withRef, c, other]);
  assertEquals(shown.map(({ cursor }) => cursor), ["0", "1", "4", "2"]);
});

Deno.test("a member that joins gets history and what it missed in pages, each message once", async () => {
  using kv = await Deno.openKv(":memory:");
  const hub = new Hub(new KvRoomLog(kv), { logger: () => {}, alone: true });
  const cursors: string[] = [];
  const text = "\u0007".repeat(4_000);
  for (let i = 0; i < 60; i++) {
    const outcome = await hub.publish("lobby", "ann", { text: `${i} ${text}` });
    assert(outcome.status === "stored");
    cursors.push(outcome.record.cursor);
  }
  const join = async (options: { after?: string; history?: number }) => {
    const texts: number[] = [];
    let [waiting, drains] = [0, 0];
    const member: Member = {
      user: "bob",
      send({ envelopes, length }) {
        waiting += length;
        assertLess(waiting, 2 * PAGE_LENGTH, "more than a page waits");
        for (const envelope of envelopes) {
          const { type, payload } = JSON.parse(envelope);
          if (type === "chat_message") texts.push(parseInt(payload.text));
        }
      },
      close() {},
      drained() {
        [waiting, drains] = [0, drains + 1];
        return Promise.resolve();
      },
    };
    const subscription = hub.join("lobby", member, options);
    await subscription.joined;
    subscription.leave();
    return { texts, drains };
  };
  const newest = await join({ history: 100 });
  assertEquals(newest.texts, Array.from({ length: 10 }, (_, i) => 50 + i));
  const missed = await join({ after: cursors[4] });
  assertEquals(missed.texts, Array.from({ length: 55 }, (_, i) => 5 + i));
  assert(missed.drains >= 4, `${missed.drains} pages`);
  await hub.drain();
});
