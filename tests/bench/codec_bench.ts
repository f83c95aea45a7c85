// What the codec costs beside the JSON that nobody can do without.

import { decodeClientEnvelope, encodeEnvelope, type Message } from "@hubbub/hub/protocol";
import { FairQueue } from "../../src/connection/fair_queue.ts";
import { decodeEntry, joinLines, recordAt } from "../../src/store/entry.ts";
import { entryLine, type StoredMessage } from "../../src/store/entry_line.ts";

const MESSAGE: Message = {
  id: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  cursor: "000000000000000123450003",
  room: "lobby",
  user: "ann",
  text: "hello everyone in this room, how are you today?",
  sent_at: "2026-01-02T03:04:05.678Z",
  ref: "01ARZ3NDEK-17",
};
const { text, ref } = MESSAGE;
const DRAFT = JSON.stringify({ type: "chat_message", payload: { text, ref } });
const TYPING = JSON.stringify({ type: "typing_status", payload: { status: true } });
const { cursor: _cursor, room: _room, ...STORED } = MESSAGE;
const LINE = JSON.stringify(STORED);
const VERSIONSTAMP = MESSAGE.cursor.slice(0, 20);
/** Messages of an entry that a busy room gets in one commit. */
const ENTRY_MESSAGES = 30;
const ENTRY = Array(ENTRY_MESSAGES).fill(LINE).join("\n");

Deno.bench({
  name: "JSON.parse() of a chat message",
  group: "decode a chat message",
  baseline: true,
  fn: () => void JSON.parse(DRAFT),
});
Deno.bench({
  name: "decodeClientEnvelope() of a chat message",
  group: "decode a chat message",
  fn: () => void decodeClientEnvelope(DRAFT),
});

Deno.bench({
  name: "JSON.parse() of a sign of typing",
  group: "decode a sign of typing",
  baseline: true,
  fn: () => void JSON.parse(TYPING),
});
Deno.bench({
  name: "decodeClientEnvelope() of a sign of typing",
  group: "decode a sign of typing",
  fn: () => void decodeClientEnvelope(TYPING),
});

Deno.bench({
  name: "JSON.stringify() of an envelope",
  group: "encode a chat message",
  baseline: true,
  fn: () => void JSON.stringify({ type: "chat_message", payload: MESSAGE }),
});
Deno.bench({
  name: "encodeEnvelope()",
  group: "encode a chat message",
  fn: () => void encodeEnvelope({ type: "chat_message", payload: MESSAGE }),
});
Deno.bench({
  name: "recordAt(): the envelope from what was stored",
  group: "encode a chat message",
  fn: () => void recordAt({ room: "lobby", commit: VERSIONSTAMP, index: 3 }, LINE, STORED),
});

Deno.bench({
  name: `JSON.parse() of ${ENTRY_MESSAGES} messages`,
  group: "read an entry",
  baseline: true,
  fn: () => void ENTRY.split("\n").map((line) => JSON.parse(line) as StoredMessage),
});
Deno.bench({
  name: `decodeEntry() of ${ENTRY_MESSAGES} messages`,
  group: "read an entry",
  fn: () => void decodeEntry(ENTRY, { room: "lobby", commit: VERSIONSTAMP }, () => {}),
});

const LINES: readonly string[] = Array(ENTRY_MESSAGES).fill(LINE);
const encoder = new TextEncoder();

Deno.bench({
  name: `TextEncoder.encode() of ${ENTRY_MESSAGES} lines, joined`,
  group: "encode an entry",
  baseline: true,
  fn: () => void encoder.encode(LINES.join("\n")),
});
Deno.bench({
  name: `entryLine() and joinLines() of ${ENTRY_MESSAGES} messages`,
  group: "encode an entry",
  fn: () => void joinLines(LINES.map(entryLine), MESSAGE.id),
});
Deno.bench({
  name: `an array for each of ${ENTRY_MESSAGES} messages, and one for all`,
  group: "encode an entry",
  fn() {
    const lines = LINES.map((line) => encoder.encode(line));
    const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, -1));
    let at = 0;
    for (const line of lines) {
      bytes.set(line, at);
      at += line.length + 1;
    }
  },
});

const FRAMES: string[] = [];
const QUEUE = new FairQueue();

Deno.bench({
  name: "Array.push() and pop() of a frame that waits alone",
  group: "queue a frame",
  baseline: true,
  fn() {
    FRAMES.push(LINE);
    FRAMES.pop();
  },
});
Deno.bench({
  name: "FairQueue.push() and take() of a frame that waits alone",
  group: "queue a frame",
  fn() {
    QUEUE.push(LINE, "lobby");
    QUEUE.take();
  },
});
