import { assert, assertEquals, fail } from "@std/assert";
import { KvRoomLog, Metrics } from "@hubbub/hub";
import { Guard } from "../../src/telemetry/guard.ts";
import { type CommittingRoom, createCommits } from "../../src/hub/commits.ts";
import { AppendPacer, HeldBytes } from "../../src/hub/append_pacer.ts";
import type { CommitAppend, RoomAppend } from "../../src/hub/room_append.ts";
import { entryLine } from "../../src/store/entry_line.ts";
import { eventually, within } from "../helpers/patience.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";

function appendOf(text: string): RoomAppend {
  const message = { id: text, user: "ann", text, sent_at: "2026-01-02T03:04:05.678Z" };
  // Those whose room is gone look at `pending`; here none is.
  const pending = { isDismissed: false } as RoomAppend["pending"];
  return { room: "lobby", line: entryLine(text), id: text, message, answers: [], pending };
}

/** A pacer over commits that are looked at, whose members take a frame when they are told to. */
function createPacer({ accepts = (): boolean => true, isBusy = true, sendingMs = 0 } = {}) {
  const committed: string[] = [];
  const rejected: string[] = [];
  let flushed = Promise.withResolvers<void>();
  const pacer = new AppendPacer({
    commit: (append) => accepts() && committed.push(textOf(append)) > 0,
    onReject: (appends) => void rejected.push(...appends.map(textOf)),
    flushes: {
      get isBusy() {
        return isBusy;
      },
      drained: () => flushed.promise,
    },
    sendingMs: () => sendingMs,
    held: new HeldBytes(),
  });
  return {
    pacer,
    committed,
    rejected,
    flush() {
      flushed.resolve();
      flushed = Promise.withResolvers();
    },
  };
}

Deno.test("AppendPacer holds back what comes while a commit is made and sent, in order", async () => {
  const { pacer, committed, flush } = createPacer();
  for (const text of ["0", "1"]) assert(pacer.add(appendOf(text)));
  assertEquals(committed, ["0", "1"]);
  pacer.begin(2);
  assert(pacer.add(appendOf("2")));
  const read = Promise.withResolvers<void>();
  const ended = pacer.end(read.promise);
  assert(ended, "the log is read");
  assert(pacer.add(appendOf("3")));
  read.resolve();
  await Promise.resolve();
  assertEquals(committed, ["0", "1"]);
  flush();
  await within(ended, "the end");
  assertEquals(committed, ["0", "1", "2", "3"]);
  pacer.begin(2);
  const again = pacer.end(undefined);
  assert(again, "members have not taken their frames yet");
  flush();
  await within(again, "the next end");
  assert(pacer.add(appendOf("4")));
  await within(eventually(() => committed.length === 5, "the next append"), "it");
});

Deno.test("AppendPacer.end() lets go on at once where nothing is on its way to anybody", async () => {
  const { pacer, committed, flush } = createPacer({ isBusy: false });
  pacer.add(appendOf("0"));
  pacer.begin(1);
  pacer.add(appendOf("1"));
  assertEquals([pacer.end(undefined), committed], [undefined, ["0", "1"]]);
  pacer.begin(1);
  assertEquals([pacer.end(undefined), pacer.add(appendOf("2"))], [undefined, true]);
  assertEquals(committed, ["0", "1", "2"]);
  // Reading the log may bring more to send.
  pacer.begin(1);
  const read = Promise.withResolvers<void>();
  const ended = pacer.end(read.promise);
  pacer.add(appendOf("3"));
  assertEquals(committed.length, 3);
  read.resolve();
  await eventually(() => {
    flush();
    return committed.length === 4;
  }, "the append that was held back");
  await ended;
});

Deno.test("AppendPacer.fail() and .release() let go on at once", async () => {
  const { pacer, committed, flush } = createPacer({ sendingMs: 1_000 });
  pacer.add(appendOf("0"));
  pacer.begin(1);
  pacer.add(appendOf("1"));
  pacer.fail();
  assertEquals(committed, ["0", "1"]);
  pacer.begin(1);
  pacer.add(appendOf("2"));
  const ended = pacer.end(undefined);
  assert(ended, "sending took long");
  flush();
  pacer.release();
  assertEquals(committed, ["0", "1", "2"]);
  pacer.begin(1);
  pacer.add(appendOf("3"));
  assertEquals(committed.length, 4);
  await within(ended, "the end, without the rest of 250 ms");
});

Deno.test("AppendPacer rejects what was held back and is not accepted then", () => {
  let isFull = false;
  const { pacer, committed, rejected } = createPacer({ accepts: () => !isFull });
  pacer.add(appendOf("0"));
  pacer.begin(1);
  pacer.add(appendOf("1"));
  isFull = true;
  pacer.fail();
  assertEquals([committed, rejected, pacer.add(appendOf("2"))], [["0"], ["1"], false]);
});

Deno.test("HeldBytes bounds what rooms hold back together", () => {
  const held = new HeldBytes();
  assert(held.take(30 * 1024 * 1024));
  assertEquals(held.take(3 * 1024 * 1024), false);
  held.give(2 * 1024 * 1024);
  assert(held.take(3 * 1024 * 1024));
});

Deno.test("createCommits() commits of other rooms while one reads its log, or its members are slow", async () => {
  const never = new Promise<void>(() => {});
  for (const slow of ["its read", "its members"]) {
    using kv = await Deno.openKv(":memory:");
    const metrics = new Metrics();
    const delivered: string[] = [];
    const waiting: (() => void)[] = [];
    const rooms = new Map(["slow", "quick"].map((name) => {
      const isSlow = name === "slow";
      const room: CommittingRoom = {
        cursor: "",
        pacer: new AppendPacer({
          commit: (append) => commits.add(append),
          onReject() {},
          flushes: {
            isBusy: isSlow && slow === "its members",
            drained: () => isSlow && slow === "its members" ? never : Promise.resolve(),
          },
          sendingMs: () => 0,
          held: new HeldBytes(),
        }),
        committed(_versionstamp, appends) {
          delivered.push(...appends.map(textOf));
          for (const go of waiting.splice(0)) go();
          return isSlow && slow === "its read" ? never : undefined;
        },
        notCommitted() {},
      };
      return [name, room];
    }));
    const commits = createCommits({
      log: new KvRoomLog(kv),
      guard: new Guard({ logger() {}, metrics }),
      metrics,
      findRoom: (name) => rooms.get(name),
      onWentBack: () => fail("nothing was put back"),
    });
    const add = (room: string, text: string) => {
      const gone = new Promise<void>((resolve) => waiting.push(resolve));
      rooms.get(room)!.pacer.add({ ...appendOf(text), room });
      return gone;
    };
    await within(add("slow", "slow 0"), "the first");
    void add("slow", "slow 1");
    for (const text of ["0", "1", "2"]) await within(add("quick", text), `${slow}: ${text}`);
    assertEquals(delivered, ["slow 0", "0", "1", "2"], slow);
    rooms.get("slow")!.pacer.release();
    await within(add("quick", "3"), "the rest");
    assertEquals([delivered.includes("slow 1"), metrics.commits > 3], [true, true]);
  }
});

Deno.test("a member that takes long for each frame leaves most of the time to other rooms", async () => {
  using kv = await Deno.openKv(":memory:");
  await using hub = createTestHub(kv).hub;
  const blocking = new TestMember("blocking", ([{ type }]) => {
    const until = performance.now() + 30;
    while (type === "chat_message" && performance.now() < until);
  });
  const from = hub.join("slow", blocking);
  const bob = new TestMember("bob");
  const quick = hub.join("quick", bob);
  await Promise.all([from.joined, quick.joined]);
  for (let i = 0; i < 100; i++) {
    from.publish({ text: `slow ${i}` });
    quick.publish({ text: `quick ${i}` });
    await bob.until(({ said }) => said.length === i + 1);
  }
  // Not a frame a message: what comes while the room rests goes out together.
  await blocking.until(({ said }) => said.length === 100);
  const frames = blocking.frames.filter(([{ type }]) => type === "chat_message").length;
  assert(frames < 50, `${frames} frames of 100 messages`);
});

function textOf(append: CommitAppend): string {
  return (append as RoomAppend).line.text;
}
