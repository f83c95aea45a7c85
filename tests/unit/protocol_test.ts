import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  CLOSE_CODES,
  decodeClientEnvelope,
  decodeDraft,
  decodeRoom,
  decodeServerEnvelope,
  decodeUser,
  encodeEnvelope,
  ERRORS,
  type ServerEnvelope,
  shouldReconnect,
} from "@hubbub/hub/protocol";

function chat(payload: unknown): string {
  return JSON.stringify({ type: "chat_message", payload });
}

Deno.test("decodeClientEnvelope() reads a message, with and without ref", () => {
  const bare = decodeClientEnvelope(chat({ text: "hello" }));
  assertEquals(bare, { ok: true, envelope: { type: "chat_message", payload: { text: "hello" } } });
  const named = decodeClientEnvelope(chat({ text: "hello", ref: "1" }));
  const payload = { text: "hello", ref: "1" };
  assertEquals(named, { ok: true, envelope: { type: "chat_message", payload } });
});

Deno.test("decodeClientEnvelope() reads typing, true and false", () => {
  for (const status of [true, false]) {
    const decoded = decodeClientEnvelope(`{"type":"typing_status","payload":{"status":${status}}}`);
    const envelope = { type: "typing_status" as const, payload: { status } };
    assertEquals(decoded, { ok: true, envelope });
  }
});

Deno.test("decodeClientEnvelope() reads a fresh token", () => {
  const decoded = decodeClientEnvelope('{"type":"authenticate","payload":{"token":"a.b.c"}}');
  const envelope = { type: "authenticate" as const, payload: { token: "a.b.c" } };
  assertEquals(decoded, { ok: true, envelope });
});

Deno.test("decodeClientEnvelope() passes on nothing that the protocol does not know", () => {
  const forged = { text: "hello", user: "mallory", id: "1", cursor: "2", sent_at: "3", room: "4" };
  const decoded = decodeClientEnvelope(chat(forged));
  assertEquals(decoded, {
    ok: true,
    envelope: { type: "chat_message", payload: { text: "hello" } },
  });
  const typing = '{"type":"typing_status","payload":{"status":true,"user":"mallory"}}';
  const envelope = { type: "typing_status" as const, payload: { status: true } };
  assertEquals(decodeClientEnvelope(typing), { ok: true, envelope });
});

Deno.test("decodeClientEnvelope() reads pretty-printed JSON", () => {
  const text = JSON.stringify({ type: "chat_message", payload: { text: "a\nb" } }, null, 2);
  const envelope = { type: "chat_message" as const, payload: { text: "a\nb" } };
  assertEquals(decodeClientEnvelope(text), { ok: true, envelope });
});

const REFUSED: [string, string, string][] = [
  ["", "bad_frame", "The frame is not JSON"],
  ["hello", "bad_frame", "The frame is not JSON"],
  ['{"type":"chat_message"', "bad_frame", "The frame is not JSON"],
  ["null", "bad_frame", "An envelope must be a JSON object"],
  ["[]", "bad_frame", "An envelope must be a JSON object"],
  ["7", "bad_frame", "An envelope must be a JSON object"],
  ['"chat_message"', "bad_frame", "An envelope must be a JSON object"],
  ["{}", "bad_frame", '"type" must be a string'],
  ['{"type":1}', "bad_frame", '"type" must be a string'],
  [
    '{"type":"x"}',
    "unknown_type",
    '"type" must be "chat_message", "typing_status", "authenticate" or "ping"',
  ],
  ['{"type":"joined","payload":{}}', "unknown_type", ""],
  ['{"type":"__proto__","payload":{}}', "unknown_type", ""],
  ['{"type":"chat_message"}', "bad_frame", '"payload" must be an object'],
  ['{"type":"chat_message","payload":[]}', "bad_frame", '"payload" must be an object'],
  ['{"type":"chat_message","payload":"hi"}', "bad_frame", '"payload" must be an object'],
  [chat({}), "bad_text", '"text" must be a string'],
  [chat({ text: null }), "bad_text", '"text" must be a string'],
  [chat({ text: 1 }), "bad_text", '"text" must be a string'],
  [chat({ text: "" }), "bad_text", '"text" is empty'],
  [chat({ text: " \n\t " }), "bad_text", '"text" is empty'],
  [chat({ text: "\ud83d" }), "bad_text", '"text" holds a lone surrogate'],
  [chat({ text: "\udc00\ud800" }), "bad_text", '"text" holds a lone surrogate'],
  ['{"type":"chat_message","payload":{"text":"\\ud83d"}}', "bad_text", ""],
  [chat({ text: "a", ref: "" }), "bad_ref", '"ref" must be a string of 1 to 128 characters'],
  [chat({ text: "a", ref: 1 }), "bad_ref", '"ref" must be a string of 1 to 128 characters'],
  [chat({ text: "a", ref: null }), "bad_ref", '"ref" must be a string of 1 to 128 characters'],
  [chat({ text: "a", ref: "r".repeat(129) }), "bad_ref", ""],
  [chat({ text: "a", ref: "\udfff" }), "bad_ref", '"ref" holds a lone surrogate'],
  ['{"type":"typing_status"}', "bad_frame", '"payload" must be an object'],
  ['{"type":"typing_status","payload":{}}', "bad_frame", '"status" must be true or false'],
  ['{"type":"typing_status","payload":{"status":"true"}}', "bad_frame", ""],
  ['{"type":"typing_status","payload":{"status":1}}', "bad_frame", ""],
  ['{"type":"authenticate"}', "bad_frame", '"payload" must be an object'],
  ['{"type":"authenticate","payload":{"token":1}}', "bad_frame", ""],
  [
    '{"type":"authenticate","payload":{"token":""}}',
    "bad_frame",
    '"token" must be a string of 1 to 8192 characters',
  ],
];

Deno.test("decodeClientEnvelope() says exactly what is wrong", async (t) => {
  for (const [text, code, message] of REFUSED) {
    await t.step(text || "(nothing)", () => {
      const decoded = decodeClientEnvelope(text);
      assert(!decoded.ok);
      assertEquals(decoded.error.code, code);
      if (message !== "") assertEquals(decoded.error.message, message);
    });
  }
});

Deno.test("decodeClientEnvelope() names the ref of a message that it refuses", () => {
  for (const text of ["", "\ud800", "x".repeat(4097)]) {
    const decoded = decodeClientEnvelope(chat({ text, ref: "mine" }));
    assert(!decoded.ok);
    assertEquals(decoded.error.ref, "mine");
  }
});

Deno.test("decodeDraft() counts bytes of UTF-8, not characters", () => {
  for (const [character, bytes] of [["a", 1], ["é", 2], ["語", 3], ["🎉", 4]] as const) {
    const options = { textMaxBytes: 1200 };
    const fits = character.repeat(1200 / bytes);
    assert(decodeDraft({ text: fits }, options).ok, `1200 bytes of ${character}`);
    const decoded = decodeDraft({ text: fits + "a" }, options);
    assert(!decoded.ok, `1201 bytes of ${character}`);
    assertEquals(decoded.error.code, "text_too_long");
  }
  assert(decodeDraft({ text: "a".repeat(4096) }).ok);
  assertFalse(decodeDraft({ text: "a".repeat(4097) }).ok);
});

Deno.test("decodeDraft() takes a limit, and a ref of 128 characters", () => {
  assert(decodeDraft({ text: "abc", ref: "r".repeat(128) }, { textMaxBytes: 3 }).ok);
  const decoded = decodeDraft({ text: "abcd" }, { textMaxBytes: 3 });
  assert(!decoded.ok);
  assertEquals(decoded.error.message, '"text" is longer than 3 bytes of UTF-8');
});

Deno.test("decodeDraft() keeps the text as it is", () => {
  const text = "  two\nlines\u2028\u0000 <b>&amp;</b> e\u0301 ";
  assertEquals(decodeDraft({ text }), { ok: true, draft: { text } });
});

Deno.test("decodeServerEnvelope() reads what encodeEnvelope() wrote, on one line", () => {
  const limits = {
    text_max_bytes: 1,
    typing_timeout_ms: 2,
    messages_per_second: 3,
    message_burst: 4,
  };
  const users = ["ann"];
  const all: ServerEnvelope[] = [
    {
      type: "chat_message",
      payload: { id: "1", cursor: "2", room: "r", user: "ann", text: "a\nb", sent_at: "t" },
    },
    { type: "typing_status", payload: { user: "ann", status: true } },
    {
      type: "joined",
      payload: { room: "r", user: "ann", cursor: "2", recovered: true, users, typing: [], limits },
    },
    { type: "presence", payload: { user: "bob", status: "left" } },
    { type: "error", payload: { code: "bad_frame", message: "no", ref: "1", retry_after_ms: 5 } },
    { type: "draining", payload: { reconnect_after_ms: 6 } },
  ];
  for (const envelope of all) {
    const text = encodeEnvelope(envelope);
    assertFalse(text.includes("\n"));
    assertEquals(decodeServerEnvelope(text), { ok: true, envelope });
  }
});

Deno.test("encodeEnvelope() writes typing_status exactly as the protocol says", () => {
  assertEquals(
    encodeEnvelope({ type: "typing_status", payload: { user: "ann", status: true } }),
    '{"type":"typing_status","payload":{"user":"ann","status":true}}',
  );
});

Deno.test("decodeServerEnvelope() tells garbage from what is new", () => {
  for (const text of ["", "no", "[]", "null", "{}", '{"type":"joined"}']) {
    const decoded = decodeServerEnvelope(text);
    assert(!decoded.ok);
    assertEquals(decoded.error.code, "bad_frame", text);
  }
  const newer = decodeServerEnvelope('{"type":"reaction","payload":{}}');
  assert(!newer.ok);
  assertEquals(newer.error.code, "unknown_type");
});

Deno.test("decodeRoom() takes 1 to 64 of letters, digits, -, _ and .", () => {
  for (const name of ["a", "Z9", "a-b_c.d", "...", ".a", "x".repeat(64)]) {
    assertEquals(decodeRoom(name), { ok: true, room: name });
  }
  const bad = [
    "",
    ".",
    "..",
    "x".repeat(65),
    "a b",
    "a/b",
    "a\n",
    "ä",
    "a:b",
    "a\u0000",
    "🎉",
    "\ud800",
  ];
  for (const name of bad) {
    const decoded = decodeRoom(name);
    assert(!decoded.ok, JSON.stringify(name));
    assertEquals(decoded.error.code, "bad_room");
  }
});

Deno.test("decodeUser() trims, and settles on NFC", () => {
  assertEquals(decodeUser("  ann\t "), { ok: true, user: "ann" });
  assertEquals(decodeUser("\u00a0Ann Lee\u3000"), { ok: true, user: "Ann Lee" });
  assertEquals(decodeUser("Zoe\u0301"), { ok: true, user: "Zo\u00e9" });
});

Deno.test("decodeUser() counts characters, not code units", () => {
  assert(decodeUser("🎉".repeat(64)).ok);
  assertFalse(decodeUser("🎉".repeat(65)).ok);
  assert(decodeUser("a".repeat(64)).ok);
  assertFalse(decodeUser("a".repeat(65)).ok);
  assert(decodeUser(` ${"a".repeat(64)} `).ok, "counted after trimming");
  assert(decodeUser("e\u0301".repeat(64)).ok, "counted after NFC");
});

Deno.test("decodeUser() refuses what cannot be told apart or seen", () => {
  const bad = [
    ...["", "   ", "\u0000", "a\u0000b", "a\nb", "a\u001bb", "a\u007fb", "a\u0085b", "a\u2028b"],
    ...["a\u2029b", "a\u200eb", "a\u200fb", "a\u061cb", "a\u202ab", "a\u202eb", "a\u2066b"],
    ...["a\u2069b", "\ud800", "a\udfffb", "\ufffd"],
  ];
  for (const name of bad) {
    const decoded = decodeUser(name);
    assert(!decoded.ok, JSON.stringify(name));
    assertEquals(decoded.error.code, "bad_user");
  }
});

Deno.test("shouldReconnect() follows the table, and the ranges for what is not in it", () => {
  for (const { code, reconnect } of Object.values(CLOSE_CODES)) {
    assertEquals(shouldReconnect(code), reconnect, String(code));
  }
  for (const code of [1000, 1006, 4001, 4499]) assert(shouldReconnect(code), String(code));
  for (const code of [4500, 4501, 4999]) assertFalse(shouldReconnect(code), String(code));
});

Deno.test("CLOSE_CODES keep to their ranges", () => {
  for (const { code, reconnect } of Object.values(CLOSE_CODES)) {
    if (code >= 4000) assertEquals(reconnect, code < 4500, String(code));
  }
  assertEquals(CLOSE_CODES.draining.code, 4000);
  assertEquals(CLOSE_CODES.tooSlow.code, 4008);
});

Deno.test("ERRORS are temporary where the same request may succeed later", () => {
  const temporary = Object.entries(ERRORS).filter(([, { temporary }]) => temporary);
  for (const [code, { status }] of temporary) assert(status === 429 || status >= 500, code);
  for (const [code, error] of Object.entries(ERRORS)) {
    // What a server cannot do at all stays so.
    const isClients = error.status >= 400 && error.status < 500;
    if (!error.temporary) assert(isClients || error.status === 501, code);
  }
});
