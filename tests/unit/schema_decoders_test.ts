// JSON Schemas and decoders say the same: what one takes, the other does.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as protocol from "@hubbub/hub/protocol";
import { EMOJI, MESSAGE_TEXT, USER_NAME } from "../../tools/text_patterns.ts";
import { needs } from "../helpers/permissions.ts";
import { mutationsOf, valuesOf } from "../helpers/schema_values.ts";
import { checkOf, readSchema, type SchemaName } from "../helpers/schemas.ts";

const files = needs("read", "env");
/** What a schema cannot say: how many bytes something takes. */
const IN_BYTES: ReadonlySet<string> = new Set(["text_too_long", "bad_data"]);

/** The result of a decoder: what it made of the value, or its code. */
interface Verdict {
  readonly decoded?: unknown;
  readonly code?: protocol.ErrorCode;
}

function verdictOf(
  result: { ok: true } | { ok: false; error: protocol.Problem },
  decoded: unknown,
): Verdict {
  return result.ok ? { decoded } : { code: result.error.code };
}

/** A body of HTTP: who it is of, and the rest. */
function bodyVerdict(
  value: unknown,
  fields: readonly string[],
  decode: (body: Record<string, unknown>) => Verdict,
): Verdict {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { code: "bad_body" };
  }
  const body = value as Record<string, unknown>;
  if (Object.keys(body).some((name) => !fields.includes(name))) return { code: "unknown_field" };
  const { user, ...rest } = body;
  if (user !== undefined) {
    const decoded = typeof user === "string" && protocol.decodeUser(user);
    if (!decoded || !decoded.ok) return { code: "bad_user" };
  }
  return decode(rest);
}

/** How the server decodes what a schema is of. */
const DECODERS: Partial<Record<SchemaName, (value: unknown) => Verdict>> = {
  "v1-client-envelope": (value) => {
    const result = protocol.decodeClientEnvelope(JSON.stringify(value));
    return verdictOf(result, result.ok && result.envelope);
  },
  "v2-client-envelope": (value) => {
    const result = protocol.decodeClientEnvelopeV2(JSON.stringify(value));
    return verdictOf(result, result.ok && JSON.parse(JSON.stringify(result.envelope)));
  },
  "http-post-body": (value) =>
    bodyVerdict(value, ["text", "ref", "data", "reply_to", "user"], (body) => {
      const result = protocol.decodeDraft(body);
      return verdictOf(result, result.ok && result.draft);
    }),
  "http-patch-body": (value) =>
    bodyVerdict(value, ["text", "ref", "data", "user"], (body) => {
      const cursor = "0".repeat(20);
      const result = protocol.decodeEdit({ ...body, cursor });
      if (!result.ok) return verdictOf(result, undefined);
      const { kind: _kind, cursor: _cursor, ...draft } = result.draft;
      return verdictOf(result, draft);
    }),
  "http-sanction-body": (value) => {
    const result = protocol.decodeSanction(value);
    return verdictOf(result, result.ok && result.sanction);
  },
};

/** Whether everything in a value is in NFC and well-formed, and nothing has a byte too many. */
function isPlain(value: unknown): boolean {
  const text = JSON.stringify(value);
  return text.normalize("NFC") === text && !/\\ud[89a-f]/i.test(text);
}

/** Whether the emoji in an envelope is too long in bytes only. */
function isLongEmoji(value: unknown): boolean {
  const { emoji } = (value as { payload?: { emoji?: unknown } } | null)?.payload ?? {};
  return typeof emoji === "string" && new TextEncoder().encode(emoji).length > 32;
}

Deno.test(
  "the schema takes and refuses white space around and in a name as its decoder does",
  files,
  () => {
    const check = checkOf("http-patch-body");
    // All that trim() cuts off, and some that look like it.
    const spaces = Array.from({ length: 0x1_0000 }, (_, unit) => String.fromCharCode(unit))
      .filter((it) => it.trim() === "" || /[\p{Cc}\p{Zs}\p{Zl}\p{Zp}]/u.test(it));
    assert(spaces.length > 60);
    for (const space of [...spaces, "\t \u2028", " \n", "\ufeff\u3000"]) {
      for (
        const user of [space + "ann", "ann" + space, `a${space}b`, space, `${space}a b${space}`]
      ) {
        const isTaken = check({ user, text: "hello" }) === undefined;
        assertEquals(isTaken, protocol.decodeUser(user).ok, JSON.stringify(user));
      }
    }
  },
);

for (const [name, decode] of Object.entries(DECODERS)) {
  Deno.test(`${name}.json takes what its decoder takes, and nothing else`, files, () => {
    const check = checkOf(name as SchemaName);
    const drawn = valuesOf(readSchema(name as SchemaName));
    const isExact = name !== "v1-client-envelope";
    let [taken, refused] = [0, 0];
    const compare = (value: unknown) => {
      const isTaken = check(value) === undefined;
      const { code, decoded } = decode(value);
      if (code !== undefined && (IN_BYTES.has(code) || isLongEmoji(value))) return;
      const shown = () => `${code}: ${JSON.stringify(value)}`;
      if (isTaken) assert(code === undefined, `the schema takes it: ${shown()}`);
      // Version 1 passes over what it does not know.
      else if (isExact && isPlain(value)) {
        assert(code !== undefined, `the schema refuses it: ${shown()}`);
      }
      if (code === undefined) assertEquals(check(decoded), undefined);
      if (code === undefined) taken++;
      else refused++;
    };
    fc.assert(
      fc.property(
        drawn.chain((value) => fc.tuple(fc.constant(value), mutationsOf(value))),
        (pair) => {
          for (const value of pair) compare(value);
        },
      ),
      { numRuns: 300 },
    );
    assert(taken > 250 && refused > 30, `${taken} taken, ${refused} refused`);
  });
}

Deno.test("the pattern of names takes what decodeUser() takes", () => {
  const pattern = new RegExp(USER_NAME, "u");
  const isName = (text: string) => pattern.test(text) && [...text].length <= 64;
  const part = fc.oneof(
    fc.stringMatching(pattern, { size: "small" }),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.string({ unit: "grapheme", maxLength: 4 }),
    fc.constantFrom(
      ..."a1#-é\u0301\u0307\u200d\u200c\ufe0f\u20e3\u2800\u3164\u00a0\n\ufffd\u2194\u0338\u180b\u1820",
      ..."\u0628\u064b\u0670\u0928\u0915\u094d\u0301\u0958\u212b\ufb2c\u{1f469}\u{1f3fd}\u{1f3f4}",
      ..."\u{e0067}\u{e007f}\u18a9\u0344",
    ),
  );
  const texts = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      if (!text.isWellFormed()) return;
      const decoded = protocol.decodeUser(text);
      // A name that is not in NFC can become longer.
      const isGrown = [...text.normalize("NFC")].length > [...text].length;
      if (isName(text) && !isGrown) assert(decoded.ok, `refused: ${JSON.stringify(text)}`);
      if (decoded.ok) assert(isName(decoded.user), `not matched: ${JSON.stringify(decoded.user)}`);
    }),
    { numRuns: 5_000 },
  );
  for (let code = 0; code <= 0x10ffff; code++) {
    // No surrogates, and little of the planes in which there is nothing.
    if ((code >= 0xd800 && code <= 0xdfff) || (code > 0x40000 && code < 0xe0000 && code % 97)) {
      continue;
    }
    const character = String.fromCodePoint(code);
    const decoded = protocol.decodeUser(character);
    const isSame = decoded.ok && decoded.user === character;
    if (isSame !== pattern.test(character)) {
      // One that NFC makes another of is in the pattern too, unless it makes several.
      const { length } = [...character.normalize("NFC")];
      assert(decoded.ok && pattern.test(character) === (length === 1), character);
    }
  }
});

Deno.test("the pattern of texts takes what decodeDraft() takes, that of emoji what decodeEmoji() takes", () => {
  const [text, emoji] = [new RegExp(MESSAGE_TEXT, "u"), new RegExp(EMOJI, "u")];
  const unseen = "\u200b\u2800\u3164\u00ad\ufe0f\u200d\ufeff\u2028\u0085 \t\n\u180e\ufffc";
  const part = fc.oneof(
    fc.string({ unit: "binary", maxLength: 3 }),
    fc.string({ unit: fc.constantFrom(...unseen, "👍", "é"), maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 3 }).map((parts) => parts.join("")), (value) => {
      if (!value.isWellFormed()) return;
      assertEquals(
        protocol.decodeDraft({ text: value }).ok,
        text.test(value),
        JSON.stringify(value),
      );
      if (new TextEncoder().encode(value).length > 32) return;
      assertEquals(protocol.decodeEmoji(value).ok, emoji.test(value), JSON.stringify(value));
    }),
    { numRuns: 5_000 },
  );
});
