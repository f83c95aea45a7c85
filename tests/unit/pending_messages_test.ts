import { assert, assertEquals, assertFalse, assertStrictEquals } from "@std/assert";
import { Metrics } from "@hubbub/hub";
import { Guard } from "../../src/telemetry/guard.ts";
import { type LogRecord, recordAt } from "../../src/store/entry.ts";
import { KvCommitBudget } from "../../src/store/kv/limits.ts";
import { GroupCommit } from "../../src/store/group_commit.ts";
import { PendingMessages } from "../../src/hub/pending_messages.ts";
import type { RoomAppend } from "../../src/hub/room_append.ts";
import type { PublishResult } from "../../src/hub/publish_result.ts";
import { hashDraft, hashText } from "../../src/hub/draft_hash.ts";
import { DeduplicationWindow } from "../../src/hub/deduplication_window.ts";
import { RecentMessages } from "../../src/hub/recent_messages.ts";

const SENT_AT = "2026-01-02T03:04:05.678Z";

/** Pending messages whose commits never end: what it hands over can be looked at. */
function setUp(
  isDraining = false,
  fillWindow: () => Promise<void> | undefined = () => undefined,
) {
  const handed: RoomAppend[] = [];
  const limits = { entryMaxBytes: 65_536, budget: () => new KvCommitBudget(0, false) };
  const commits = new GroupCommit<RoomAppend>({
    limits,
    write: () => new Promise(() => {}),
    onCommit() {},
    onFailure() {},
  });
  const add = commits.add.bind(commits);
  commits.add = (append) => {
    handed.push(append);
    return add(append);
  };
  const recent = new RecentMessages();
  const window = new DeduplicationWindow();
  const metrics = new Metrics();
  let ids = 0;
  const pending = new PendingMessages({
    room: "lobby",
    recent,
    window,
    fillWindow,
    commits,
    log: { entryMaxBytes: 65_536, get: () => Promise.resolve(undefined) },
    metrics,
    guard: new Guard({ logger() {}, metrics }),
    hold: { set: () => {} },
    createId: () => `id${++ids}`,
    isDraining: () => isDraining,
    timestamp: () => SENT_AT,
  });
  const submit = (user: string, ref?: string, text = "hi") => {
    const told: PublishResult[] = [];
    pending.submit({ user, draft: { text, ref }, answer: (outcome) => void told.push(outcome) });
    return told;
  };
  return { pending, recent, window, metrics, handed, submit };
}

function recordOf({ message, line }: RoomAppend): LogRecord {
  return recordAt({ room: "lobby", commit: "0".repeat(19) + "1", index: 0 }, line.text, message);
}

Deno.test("PendingMessages.submit() hands the message over as the log keeps it", () => {
  const { handed, submit, pending } = setUp();
  submit("ann", "r1");
  submit("ann");
  const [{ line: { text, length }, message, room }, other] = handed;
  assertEquals(length, text.length);
  assertEquals(JSON.parse(text), {
    h: hashText(hashDraft({ text: "hi" })),
    id: "id1",
    user: "ann",
    text: "hi",
    sent_at: SENT_AT,
    ref: "r1",
  });
  assertEquals(text, JSON.stringify(message));
  assertEquals(room, "lobby");
  assertFalse("ref" in JSON.parse(other.line.text), "no ref where none was given");
  assertEquals(pending.size, 2);
  assertStrictEquals(pending.take("id1"), handed[0]);
  assertEquals([pending.take("id1"), pending.size], [undefined, 1]);
});

Deno.test("PendingMessages.submit() lets the same message wait for the first, and calls it a repeat", () => {
  const { pending, handed, submit, metrics } = setUp();
  const first = submit("ann", "r1");
  const second = submit("ann", "r1");
  assertEquals([first, second, handed.length], [[], [], 1]);
  const record = recordOf(handed[0]);
  pending.settle(pending.take("id1")!, { status: "stored", record });
  assertEquals(first, [{ status: "stored", record }]);
  assertEquals(second, [{ status: "duplicate", record }]);
  assertEquals([pending.size, metrics.messagesIn, metrics.repeats], [0, 2, 1]);
});

Deno.test("PendingMessages.submit() answers at once what repeats a recent message", () => {
  const { handed, submit, recent, window, pending } = setUp();
  submit("ann", "r1");
  const record = recordOf(handed[0]);
  pending.settle(pending.take("id1")!, { status: "stored", record });
  recent.push(record, true);
  window.push(record);
  assertEquals(submit("ann", "r1"), [{ status: "duplicate", record }]);
  assertEquals(handed.length, 1);
});

Deno.test("PendingMessages.submit() tells users and refs apart, and takes no message without ref for one", () => {
  const { handed, submit } = setUp();
  for (const [user, ref] of [["ann", "r1"], ["bob", "r1"], ["ann", "r2"], ["ann"], ["ann"]]) {
    submit(user, ref);
  }
  assertEquals(handed.length, 5);
});

Deno.test("PendingMessages.submit() refuses while the hub stops, and what no entry can hold", () => {
  const draining = setUp(true);
  const [refused] = draining.submit("ann", "r1");
  assert(refused.status === "refused");
  assertEquals([refused.problem.code, refused.problem.ref], ["draining", "r1"]);
  const { handed, submit } = setUp();
  const [tooLong] = submit("ann", "r2", "x".repeat(65_536));
  assert(tooLong.status === "refused");
  assertEquals([tooLong.problem.code, tooLong.problem.ref], ["text_too_long", "r2"]);
  assertEquals([draining.handed.length, handed.length], [0, 0]);
});

Deno.test("PendingMessages.reject() tells everybody who waits, and forgets", () => {
  const { pending, handed, submit, metrics } = setUp();
  const told = [submit("ann", "r1"), submit("ann", "r1")];
  pending.reject(handed);
  for (const outcomes of told) {
    assertEquals(outcomes.length, 1);
    assert(outcomes[0].status === "refused");
    assertEquals([outcomes[0].problem.code, outcomes[0].problem.ref], ["not_stored", "r1"]);
  }
  assertEquals([pending.size, metrics.messagesNotStored], [0, 1]);
  submit("ann", "r1");
  assertEquals(handed.length, 2, "the next one is a new one");
});

Deno.test("PendingMessages.submit() lets nothing overtake what waits for the window", async () => {
  const filled = Promise.withResolvers<void>();
  let isFilled = false;
  const { handed, submit } = setUp(false, () => isFilled ? undefined : filled.promise);
  submit("ann", "r1", "1");
  submit("ann", undefined, "2");
  // The window is full from now on; those that wait learn it a few turns later.
  isFilled = true;
  filled.resolve();
  submit("ann", "r3", "3");
  assertEquals(handed, []);
  await Promise.resolve();
  await Promise.resolve();
  submit("ann", undefined, "4");
  assertEquals(handed.map(({ message }) => message.text), ["1", "2", "3", "4"]);
});
