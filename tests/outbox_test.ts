import { assert, assertEquals, assertFalse } from "@std/assert";
import { type LogRecord, recordAt } from "../src/entry.ts";
import { compose, Outbox, type Outcome, type RoomAppend } from "../src/outbox.ts";

const STAMP = { id: "01J", sentAt: "2026-01-02T03:04:05.678Z" };

function append(user: string, ref: string | undefined, told: Outcome[] = []): RoomAppend {
  const answer = (outcome: Outcome) => void told.push(outcome);
  return compose("lobby", { user, draft: { text: "hi", ref }, answer }, STAMP);
}

function recordOf({ message, text }: RoomAppend): LogRecord {
  return recordAt("lobby", "0".repeat(19) + "1", 0, text, message);
}

Deno.test("compose() writes the message as the log keeps it", () => {
  const { line, text, message, room } = append("ann", "r1");
  assertEquals(new TextDecoder().decode(line), text);
  assertEquals(JSON.parse(text), {
    id: "01J",
    user: "ann",
    text: "hi",
    sent_at: STAMP.sentAt,
    ref: "r1",
  });
  assertEquals(JSON.parse(text), message);
  assertEquals(room, "lobby");
  assertFalse("ref" in JSON.parse(append("ann", undefined).text), "no ref where none was given");
});

Deno.test("Outbox.join() lets the same message wait for the first, and calls it a repeat", () => {
  const outbox = new Outbox();
  const [first, second]: [Outcome[], Outcome[]] = [[], []];
  const sent = append("ann", "r1", first);
  outbox.add(sent);
  const again = { user: "ann", draft: { text: "hi", ref: "r1" } };
  assert(outbox.join({ ...again, answer: (outcome) => void second.push(outcome) }));
  assertEquals([first, second], [[], []]);
  const record = recordOf(sent);
  outbox.settle(sent, { status: "stored", record });
  assertEquals(first, [{ status: "stored", record }]);
  assertEquals(second, [{ status: "repeat", record }]);
  assertEquals(outbox.size, 0);
});

Deno.test("Outbox.join() tells users and refs apart, and takes no message without ref", () => {
  const outbox = new Outbox();
  outbox.add(append("ann", "r1"));
  outbox.add(append("ann", undefined));
  const answer = () => {};
  assertFalse(outbox.join({ user: "bob", draft: { text: "hi", ref: "r1" }, answer }));
  assertFalse(outbox.join({ user: "ann", draft: { text: "hi", ref: "r2" }, answer }));
  assertFalse(outbox.join({ user: "ann", draft: { text: "hi" }, answer }));
});

Deno.test("Outbox.settle() passes a refusal on to everybody who waits", () => {
  const outbox = new Outbox();
  const told: Outcome[] = [];
  const sent = append("ann", "r1", told);
  outbox.add(sent);
  const answer = (outcome: Outcome) => void told.push(outcome);
  outbox.join({ user: "ann", draft: { text: "hi", ref: "r1" }, answer });
  const problem = { code: "not_stored", message: "no" } as const;
  outbox.settle(sent, { status: "refused", problem });
  assertEquals(told, [{ status: "refused", problem }, { status: "refused", problem }]);
  assertFalse(outbox.join({ user: "ann", draft: { text: "hi", ref: "r1" }, answer }), "forgotten");
  assertEquals(outbox.get("01J"), undefined);
});

Deno.test("Outbox.get() finds by id what is on its way", () => {
  const outbox = new Outbox();
  const sent = append("ann", undefined);
  assertEquals(outbox.get("01J"), undefined);
  outbox.add(sent);
  assert(outbox.get("01J") === sent);
  assertEquals(outbox.size, 1);
});
