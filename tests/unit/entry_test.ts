import { assert, assertEquals, assertFalse } from "@std/assert";
import { commitOf, cursorAt, indexOf, isCursor, ORIGIN, tagOf } from "../../src/store/cursor.ts";
import { decodeEntry, joinLines } from "../../src/store/entry.ts";
import { entryLine } from "../../src/store/entry_line.ts";
import { messageText, recordAt } from "../../src/store/entry.ts";
import { storedLine } from "../helpers/stored_lines.ts";

const COMMIT = "000000000000003e0000";

Deno.test("joinLines() and decodeEntry() are each other's inverse, whatever the texts hold", () => {
  const texts = ["plain", "a\nb\r\n", "\u2028", "語🎉e\u0301", '"quoted\\"', "\u0000\u001f", "{}"];
  const lines = texts.map((text, index) => storedLine({ text, id: String(index) }));
  const entry = joinLines(lines, "6");
  assertEquals([entry.count, entry.lastId], [texts.length, "6"]);
  const damaged: number[] = [];
  const records = decodeEntry(
    new TextDecoder().decode(entry.bytes),
    { room: "lobby", commit: COMMIT },
    (index) => damaged.push(index),
  );
  assertEquals(damaged, []);
  assertEquals(records.map((record) => JSON.parse(messageText(record)).text), texts);
  assertEquals(records.map(({ id }) => id), texts.map((_, index) => String(index)));
});

Deno.test("joinLines() takes the lines' bytes and one between each two", () => {
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  assertEquals(joinLines([entryLine("{}")], "").bytes, bytesOf("{}"));
  const entry = joinLines([entryLine("{1}"), entryLine("{2}")], "");
  assertEquals(entry.bytes, bytesOf("{1}\n{2}"));
});

Deno.test("entryLine() counts the bytes that UTF-8 takes, whatever the text holds", () => {
  const units = ["", "a", "\u007f", "\u0080", "é", "\u07ff", "\u0800", "語", "\ud7ff", "\ue000"];
  const texts = [...units, "\uffff", "🎉", "\u{10ffff}", "a🎉é語\u2028z", "🎉🎉".repeat(99)];
  for (const text of texts) {
    const bytes = new TextEncoder().encode(text);
    assertEquals(entryLine(text).length, bytes.length, JSON.stringify(text));
    assertEquals(joinLines([entryLine(text)], "").bytes, bytes);
  }
});

Deno.test("decodeEntry() passes over what is no record, and the others keep their places", () => {
  const good = storedLine({ text: "a" }).text;
  const bad = ["{", "null", "7", "[]", "{}", '{"id":"1","user":"ann","text":"x"}', ""];
  const damaged: number[] = [];
  const text = [...bad, good].join("\n");
  const records = decodeEntry(text, { room: "lobby", commit: COMMIT }, (i) => damaged.push(i));
  assertEquals(damaged, bad.map((_, index) => index));
  assertEquals(records.map(({ cursor }) => indexOf(cursor)), [bad.length]);
});

Deno.test("recordAt() makes the envelope as it goes over the wire, without the hash", () => {
  const message = { id: "01J", user: "ann", text: "hi", sent_at: "2026-01-02T03:04:05.678Z" };
  const at = { room: "lobby", commit: COMMIT, index: 17 };
  const cursor = cursorAt(COMMIT, 17, tagOf("01J"));
  for (const stored of [message, { h: "0123abcd", ...message }]) {
    const record = recordAt(at, JSON.stringify(stored), stored);
    assertEquals(JSON.parse(record.envelope), {
      type: "chat_message",
      payload: { room: "lobby", cursor, ...message },
    });
    assertEquals(JSON.parse(messageText(record)), { room: "lobby", cursor, ...message });
    assertEquals(record.cursor, cursor);
    assertEquals(record.sentAt, message.sent_at);
    assertEquals(record.hash, "h" in stored ? 0x0123abcd : undefined);
  }
});

Deno.test("cursorAt() sorts like the log, whatever the tags, and can be taken apart", () => {
  const commits = ["00000000000000010000", "000000000000000a0000", "00000000000001000000"];
  commits.push("00000000000001000001", "7fffffffffffffffffff", "ffffffffffffffffffff");
  const indices = [0, 1, 9, 10, 15, 16, 255, 256, 4_095];
  const cursors = commits.flatMap((commit) =>
    indices.map((index) => cursorAt(commit, index, tagOf(`${commit} ${index}`)))
  );
  assertEquals(cursors, cursors.toSorted());
  assertEquals(new Set(cursors).size, cursors.length);
  for (const [place, cursor] of cursors.entries()) {
    assert(isCursor(cursor), cursor);
    assert(cursor.length >= 16 && cursor.length <= 20, cursor);
    assert(cursor > ORIGIN, cursor);
    assertEquals(commitOf(cursor), commits[Math.floor(place / indices.length)]);
    assertEquals(indexOf(cursor), indices[place % indices.length]);
    assertEquals(encodeURIComponent(cursor), cursor, "a URL takes it as it is");
  }
});

Deno.test("tagOf() tells ids apart, those that follow each other too", () => {
  const ids = Array.from(
    { length: 2_000 },
    (_, i) => `01K9ZQ4K7N5V0X3Y6W2R${String(i).padStart(6, "0")}`,
  );
  const tags = new Set(ids.map(tagOf));
  assert([...tags].every((tag) => tag >= 0 && tag < 2 ** 23));
  // Of 2,000 in 8 million hardly any meet by chance.
  assert(tags.size > 1_995, `${tags.size} of 2000`);
});

Deno.test("isCursor() takes 20 of its digits and nothing else", () => {
  assert(isCursor(ORIGIN));
  assert(isCursor("z".repeat(20)));
  assertEquals(commitOf("z".repeat(20)), "f".repeat(20), "what no cursor has is after all others");
  const bad = ["", "0".repeat(19), "0".repeat(21), "0".repeat(24), "-".repeat(20), "é".repeat(20)];
  for (const text of [...bad, ORIGIN + "\n", " " + "0".repeat(19), "../".repeat(6) + ".."]) {
    assertFalse(isCursor(text), JSON.stringify(text));
  }
});
