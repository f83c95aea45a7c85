import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  cursorAt,
  decodeEntry,
  encodeLine,
  isCursor,
  joinLines,
  messageText,
  ORIGIN,
  recordAt,
  versionstampOf,
} from "../../src/store/entry.ts";
import { storedLine } from "../helpers/stored_lines.ts";

const VERSIONSTAMP = "000000000000003e0000";

Deno.test("joinLines() and decodeEntry() are each other's inverse, whatever the texts hold", () => {
  const texts = ["plain", "a\nb\r\n", "\u2028", "語🎉e\u0301", '"quoted\\"', "\u0000\u001f", "{}"];
  const entry = joinLines(texts.map((text, index) => storedLine({ text, id: String(index) })));
  assertEquals(entry.count, texts.length);
  const records = decodeEntry("lobby", VERSIONSTAMP, new TextDecoder().decode(entry.bytes));
  assertEquals(records.map((record) => JSON.parse(messageText(record)).text), texts);
  assertEquals(records.map(({ id }) => id), texts.map((_, index) => String(index)));
});

Deno.test("joinLines() takes the lines' bytes and one between each two", () => {
  assertEquals(joinLines([encodeLine("{}")]).bytes, encodeLine("{}"));
  assertEquals(joinLines([encodeLine("{1}"), encodeLine("{2}")]).bytes, encodeLine("{1}\n{2}"));
});

Deno.test("recordAt() makes the envelope as it goes over the wire", () => {
  const message = { id: "01J", user: "ann", text: "hi", sent_at: "2026-01-02T03:04:05.678Z" };
  const record = recordAt("lobby", VERSIONSTAMP, 17, JSON.stringify(message), message);
  const cursor = VERSIONSTAMP + "0011";
  assertEquals(JSON.parse(record.envelope), {
    type: "chat_message",
    payload: { room: "lobby", cursor, ...message },
  });
  assertEquals(JSON.parse(messageText(record)), { room: "lobby", cursor, ...message });
  assertEquals(record.cursor, cursor);
  assertEquals(record.sentAt, message.sent_at);
});

Deno.test("cursorAt() sorts like the log", () => {
  const stamps = ["00000000000000010000", "000000000000000a0000", "00000000000001000000"];
  const indices = [0, 1, 9, 10, 15, 16, 255, 256, 65_535];
  const cursors = stamps.flatMap((stamp) => indices.map((index) => cursorAt(stamp, index)));
  assertEquals(cursors, cursors.toSorted());
  assertEquals(new Set(cursors).size, cursors.length);
  for (const cursor of cursors) {
    assert(isCursor(cursor), cursor);
    assert(cursor > ORIGIN, cursor);
  }
  assertEquals(versionstampOf(cursorAt(stamps[1], 65_535)), stamps[1]);
});

Deno.test("isCursor() takes 24 lower-case hexadecimal digits and nothing else", () => {
  assert(isCursor(ORIGIN));
  const bad = ["", "0".repeat(23), "0".repeat(25), "A".repeat(24), "g".repeat(24)];
  for (const text of [...bad, "0".repeat(24) + "\n", " " + "0".repeat(23), "../".repeat(8)]) {
    assertFalse(isCursor(text), JSON.stringify(text));
  }
});
