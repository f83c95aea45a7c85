import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  decodeClientEnvelopeV2,
  decodeRoom,
  decodeServerEnvelopeV2,
  encodeEnvelope,
  ERRORS,
  type ServerEnvelopeV2,
} from "@hubbub/hub/protocol";

const READ: [sent: string, envelope: unknown][] = [
  ['{"type":"join","room":"a"}', { type: "join", room: "a", payload: {} }],
  [
    '{"type":"join","room":"a","payload":{"after":"1","history":0,"presence":false}}',
    { type: "join", room: "a", payload: { after: "1", history: 0, presence: false } },
  ],
  ['{"type":"leave","room":"a","payload":{}}', { type: "leave", room: "a", payload: {} }],
  [
    '{"payload":{"text":"hello","ref":"1"},"room":"a","type":"chat_message"}',
    { type: "chat_message", room: "a", payload: { text: "hello", ref: "1" } },
  ],
  [
    '{"type":"typing_status","room":"a","payload":{"status":false}}',
    { type: "typing_status", room: "a", payload: { status: false } },
  ],
  [
    '{"type":"authenticate","payload":{"token":"t"}}',
    { type: "authenticate", payload: { token: "t" } },
  ],
  ['{"type":"ping"}', { type: "ping", payload: {} }],
];

for (const [sent, envelope] of READ) {
  Deno.test(`decodeClientEnvelopeV2() reads ${sent}`, () => {
    const decoded = decodeClientEnvelopeV2(sent);
    assert(decoded.ok, JSON.stringify(decoded));
    assertEquals(JSON.parse(JSON.stringify(decoded.envelope)), envelope);
  });
}

const REFUSED: [sent: string, code: string, more?: Record<string, unknown>][] = [
  ["", "bad_frame", { for: undefined, room: undefined }],
  ["[]", "bad_frame", { for: undefined }],
  ["{}", "bad_frame", { for: undefined }],
  ['{"type":7,"room":"a"}', "bad_frame", { for: undefined, room: "a" }],
  ['{"type":{"toString":1},"room":"a","payload":{}}', "bad_frame", { for: undefined, room: "a" }],
  ['{"type":"edit","room":"a"}', "unknown_type", { for: "edit", room: "a" }],
  ['{"type":"__proto__"}', "unknown_type", { for: "__proto__" }],
  ['{"type":"constructor"}', "unknown_type", { for: "constructor" }],
  [`{"type":"${"x".repeat(65)}"}`, "unknown_type", { for: undefined }],
  ['{"type":"join"}', "bad_room", { for: "join", room: undefined }],
  ['{"type":"join","room":"no room"}', "bad_room", { for: "join", room: undefined }],
  ['{"type":"join","room":".."}', "bad_room"],
  ['{"type":"join","room":["a"]}', "bad_room"],
  ['{"type":"join","room":"a","user":"x"}', "unknown_field", { for: "join", room: "a" }],
  ['{"type":"join","room":"a","__proto__":{}}', "unknown_field"],
  ['{"type":"join","room":"a","payload":{"limit":1}}', "unknown_field", { room: "a" }],
  ['{"type":"join","room":"a","payload":null}', "bad_frame", { room: "a" }],
  ['{"type":"join","room":"a","payload":[]}', "bad_frame"],
  ['{"type":"join","room":"a","payload":{"after":1}}', "bad_cursor"],
  ['{"type":"join","room":"a","payload":{"after":null}}', "bad_cursor"],
  ['{"type":"join","room":"a","payload":{"after":""}}', "bad_cursor"],
  [`{"type":"join","room":"a","payload":{"after":"${"1".repeat(65)}"}}`, "bad_cursor"],
  ['{"type":"join","room":"a","payload":{"history":101}}', "bad_frame"],
  ['{"type":"join","room":"a","payload":{"history":-1}}', "bad_frame"],
  ['{"type":"join","room":"a","payload":{"history":1.5}}', "bad_frame"],
  ['{"type":"join","room":"a","payload":{"history":"1"}}', "bad_frame"],
  ['{"type":"join","room":"a","payload":{"presence":0}}', "bad_frame"],
  ['{"type":"leave","room":"a","payload":{"why":"bored"}}', "unknown_field"],
  ['{"type":"chat_message","room":"a"}', "bad_frame", { for: "chat_message" }],
  ['{"type":"chat_message","room":"a","payload":{}}', "bad_text"],
  ['{"type":"chat_message","room":"a","payload":{"text":" ","ref":"r"}}', "bad_text", { ref: "r" }],
  ['{"type":"chat_message","room":"a","payload":{"text":"x","ref":""}}', "bad_ref"],
  [
    '{"type":"chat_message","room":"a","payload":{"text":"x","ref":"r","mood":{}}}',
    "unknown_field",
    { ref: "r", room: "a", for: "chat_message" },
  ],
  [
    '{"type":"chat_message","room":"!","payload":{"text":"x","ref":"r"}}',
    "bad_room",
    { ref: "r", room: undefined },
  ],
  ['{"type":"typing_status","room":"a"}', "bad_frame"],
  ['{"type":"typing_status","room":"a","payload":{"status":1}}', "bad_frame"],
  ['{"type":"typing_status","room":"a","payload":{"status":true,"user":"x"}}', "unknown_field"],
  ['{"type":"ping","room":"a"}', "unknown_field", { for: "ping" }],
  ['{"type":"ping","payload":{"x":1}}', "unknown_field"],
  ['{"type":"authenticate","payload":{"token":""}}', "bad_frame"],
  ['{"type":"authenticate","payload":{}}', "bad_frame"],
];

for (const [sent, code, more = {}] of REFUSED) {
  Deno.test(`decodeClientEnvelopeV2() refuses ${sent.slice(0, 80) || "nothing"} (${code})`, () => {
    const decoded = decodeClientEnvelopeV2(sent);
    assert(!decoded.ok);
    assertEquals(decoded.error.code, code);
    const { error, room } = decoded;
    const found: Record<string, unknown> = { ...error, room };
    for (const [name, value] of Object.entries(more)) assertEquals(found[name], value, name);
  });
}

Deno.test("decodeClientEnvelopeV2() answers anything with an envelope or a known error", () => {
  const json = fc.jsonValue();
  const envelope = fc.record({
    type: fc.oneof(
      fc.constantFrom("join", "leave", "chat_message", "typing_status", "authenticate", "ping"),
      json,
    ),
    room: fc.oneof(fc.constant("a"), json),
    payload: fc.oneof(
      fc.dictionary(
        fc.constantFrom("text", "ref", "after", "history", "presence", "status", "token", "x"),
        fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.boolean(), json),
      ),
      json,
    ),
    extra: json,
  }, { requiredKeys: [] });
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    envelope.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(text, (text) => {
      const decoded = decodeClientEnvelopeV2(text);
      if (!decoded.ok) {
        const { error, room } = decoded;
        assert(error.code in ERRORS);
        // It goes back to the client as it is.
        assert(JSON.stringify(decoded).isWellFormed());
        assert(JSON.stringify(decoded).length < 2_000);
        assert(room === undefined || decodeRoom(room).ok);
        return;
      }
      const again = decodeClientEnvelopeV2(encodeEnvelope(decoded.envelope));
      assertEquals(again, decoded);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("decodeServerEnvelopeV2() reads each type, and refuses what has no room or payload", () => {
  const roomless = ["welcome", "draining", "pong", "error"];
  const inRoom = ["chat_message", "joined", "left", "typing_status", "presence", "error"];
  for (const type of roomless) {
    assert(decodeServerEnvelopeV2(JSON.stringify({ type, payload: {} })).ok, type);
  }
  for (const type of inRoom) {
    const envelope = { type, room: "a", payload: {} } as unknown as ServerEnvelopeV2;
    assertEquals(decodeServerEnvelopeV2(encodeEnvelope(envelope)), { ok: true, envelope });
    assert(!decodeServerEnvelopeV2(JSON.stringify({ type, room: 7, payload: {} })).ok, type);
    if (type === "error") continue;
    assert(!decodeServerEnvelopeV2(JSON.stringify({ type, payload: {} })).ok, type);
  }
  for (const text of ["", "null", "[]", '{"type":"pong"}', '{"type":"pong","payload":null}']) {
    const decoded = decodeServerEnvelopeV2(text);
    assertEquals(!decoded.ok && decoded.error.code, "bad_frame", text);
  }
  const newer = decodeServerEnvelopeV2('{"type":"wave","payload":{}}');
  assertEquals(!newer.ok && newer.error.code, "unknown_type");
});
