import { assert, assertEquals } from "@std/assert";
import {
  DATA_MAX_BYTES,
  DATA_MAX_DEPTH,
  decodeClientEnvelope,
  decodeClientEnvelopeV2,
  decodeData,
  decodeDraft,
  decodeEdit,
  decodeEmoji,
  decodeServerEnvelope,
  decodeServerEnvelopeV2,
} from "@hubbub/hub/protocol";

const CURSOR = "0000000000000000001z";

function decodeV2(type: string, payload: unknown) {
  return decodeClientEnvelopeV2(JSON.stringify({ type, room: "lobby", payload }));
}

function codeOf(decoded: { ok: true } | { ok: false; error: { code: string } }): string {
  return decoded.ok ? "ok" : decoded.error.code;
}

Deno.test("decodeClientEnvelopeV2() decodes changes of messages", () => {
  const right: [string, Record<string, unknown>][] = [
    ["edit_message", { cursor: CURSOR, text: "b" }],
    ["edit_message", { cursor: CURSOR, data: { a: 1 }, ref: "r" }],
    ["edit_message", { cursor: CURSOR, text: "b", data: null }],
    ["delete_message", { cursor: CURSOR }],
    ["delete_message", { cursor: CURSOR, ref: "r" }],
    ["react", { cursor: CURSOR, emoji: "👍", status: true }],
    ["react", { cursor: CURSOR, emoji: "like", status: false, ref: "r" }],
    ["chat_message", { text: "a", data: {}, reply_to: CURSOR, ref: "r" }],
  ];
  for (const [type, payload] of right) {
    const decoded = decodeV2(type, payload);
    assert(decoded.ok, JSON.stringify(decoded));
    assertEquals(decoded.envelope as unknown, { type, room: "lobby", payload });
  }
});

Deno.test("decodeClientEnvelopeV2() says what is wrong with a change, and names its ref", () => {
  const wrong: [string, Record<string, unknown>, string][] = [
    ["edit_message", { cursor: CURSOR }, "bad_text"],
    ["edit_message", { cursor: CURSOR, text: " " }, "bad_text"],
    ["edit_message", { cursor: CURSOR, text: null }, "bad_text"],
    ["edit_message", { cursor: CURSOR, text: "x".repeat(4097) }, "text_too_long"],
    ["edit_message", { text: "a" }, "bad_cursor"],
    ["edit_message", { cursor: "nope", text: "a" }, "bad_cursor"],
    ["edit_message", { cursor: CURSOR, data: [] }, "bad_data"],
    ["edit_message", { cursor: CURSOR, text: "a", emoji: "x" }, "unknown_field"],
    ["delete_message", {}, "bad_cursor"],
    ["delete_message", { cursor: 7 }, "bad_cursor"],
    ["delete_message", { cursor: CURSOR, text: "a" }, "unknown_field"],
    ["react", { cursor: CURSOR, emoji: "👍" }, "bad_frame"],
    ["react", { cursor: CURSOR, emoji: "👍", status: 1 }, "bad_frame"],
    ["react", { cursor: CURSOR, status: true }, "bad_emoji"],
    ["react", { cursor: CURSOR, emoji: "a b", status: true }, "bad_emoji"],
    ["chat_message", { text: "a", reply_to: "nope" }, "bad_cursor"],
    ["chat_message", { text: "a", data: 7 }, "bad_data"],
    ["chat_message", { text: "a", reactions: [] }, "unknown_field"],
  ];
  for (const [type, payload, code] of wrong) {
    const decoded = decodeV2(type, { ...payload, ref: "r" });
    assert(!decoded.ok, JSON.stringify(payload));
    const { error, room } = decoded;
    assertEquals([error.code, error.for, error.ref, room], [code, type, "r", "lobby"]);
  }
  const badRef = decodeV2("react", { cursor: CURSOR, emoji: "a", status: true, ref: "" });
  assertEquals(codeOf(badRef), "bad_ref");
});

Deno.test("decodeEmoji() takes 1 to 32 bytes that can be seen", () => {
  for (const emoji of ["👍", "👨‍👩‍👧‍👦", "like", ":+1:", "x".repeat(32), "é".repeat(16), "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]) {
    assert(decodeEmoji(emoji).ok, emoji);
  }
  const wrong = ["", " ", "a b", "a\n", "a\u0000", "\u0085x", "x".repeat(33), "é".repeat(17)];
  wrong.push("\u200b", "\u3000", "\ud83d", "a\u00a0b");
  for (const emoji of [...wrong, 7, null, undefined, ["👍"]]) {
    assert(!decodeEmoji(emoji).ok, JSON.stringify(emoji));
  }
});

Deno.test("decodeData() takes any JSON object of at most 4 KiB", () => {
  const ofBytes = (count: number) => ({ a: "x".repeat(count - 8) });
  assert(decodeData(ofBytes(DATA_MAX_BYTES)).ok);
  assert(!decodeData(ofBytes(DATA_MAX_BYTES + 1)).ok);
  assert(decodeData({ a: "é".repeat((DATA_MAX_BYTES - 8) / 2) }).ok);
  assert(!decodeData({ a: "é".repeat(DATA_MAX_BYTES / 2) }).ok);
  for (const wrong of [null, [], "x", 7, true, undefined]) assert(!decodeData(wrong).ok);
  // What would come back as null.
  assert(!decodeData(JSON.parse('{"a":[1e400]}')).ok);
  const odd = JSON.parse('{"__proto__":{"a":1},"toString":null,"":[],"1":{"b":false}}');
  const decoded = decodeData(odd);
  assertEquals(decoded.ok && JSON.stringify(decoded.data), JSON.stringify(odd));
});

Deno.test("decodeData() takes no JSON nested deeper than 32 levels, however deep", () => {
  const lists = (levels: number) => `{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
  const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
  for (const ofDepth of [lists, objects]) {
    assert(decodeData(JSON.parse(ofDepth(DATA_MAX_DEPTH))).ok);
    for (const levels of [DATA_MAX_DEPTH + 1, 2_000, 100_000]) {
      const data = ofDepth(levels);
      const payload = `{"text":"a","ref":"r","data":${data}}`;
      const v1 = decodeClientEnvelope(`{"type":"chat_message","payload":${payload}}`);
      assert(!v1.ok && v1.error.code === "bad_data" && v1.error.ref === "r");
      const v2 = `{"type":"chat_message","room":"x","payload":${payload}}`;
      assertEquals(codeOf(decodeClientEnvelopeV2(v2)), "bad_data");
      assertEquals(codeOf(decodeEdit({ cursor: CURSOR, data: JSON.parse(data) })), "bad_data");
    }
  }
});

Deno.test("version 1 takes data and reply_to, and passes over what it does not know", () => {
  const payload = { text: "a", data: { b: [1] }, reply_to: CURSOR };
  const envelope = { type: "chat_message", payload: { ...payload, more: 1 } };
  const decoded = decodeClientEnvelope(JSON.stringify(envelope));
  assertEquals(decoded.ok && decoded.envelope.payload as unknown, payload);
  assertEquals(codeOf(decodeDraft({ text: "a", data: [] })), "bad_data");
});

Deno.test("decodeEdit() needs something to change", () => {
  assertEquals(codeOf(decodeEdit({ cursor: CURSOR, ref: "r" })), "bad_text");
  const decoded = decodeEdit({ cursor: CURSOR, data: null });
  assertEquals(decoded.ok && decoded.draft, { kind: "edit", cursor: CURSOR, data: null });
});

Deno.test("message_changed is an envelope of both versions", () => {
  const payload = { cursor: CURSOR, message: CURSOR, kind: "delete", user: "ann", at: 1 };
  assert(decodeServerEnvelope(JSON.stringify({ type: "message_changed", payload })).ok);
  const v2 = { type: "message_changed", room: "lobby", payload };
  assert(decodeServerEnvelopeV2(JSON.stringify(v2)).ok);
  assert(!decodeServerEnvelopeV2(JSON.stringify({ ...v2, room: undefined })).ok);
});
