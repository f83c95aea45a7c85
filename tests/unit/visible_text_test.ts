import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { decodeDraft, decodeUser } from "@hubbub/hub/protocol";

/** What a name is settled to; undefined if it is refused. */
function settle(name: string): string | undefined {
  const decoded = decodeUser(name);
  if (decoded.ok) return decoded.user;
  assertEquals(decoded.error.code, "bad_user");
  return undefined;
}

/** All code points that a pattern matches. */
function* codePointsOf(pattern: RegExp): Generator<string> {
  for (let code = 0; code <= 0x10ffff; code++) {
    const isSurrogate = code >= 0xd800 && code <= 0xdfff;
    if (isSurrogate) continue;
    const character = String.fromCodePoint(code);
    if (pattern.test(character)) yield character;
  }
}

function hex(text: string): string {
  return [...text].map((character) => "U+" + character.codePointAt(0)!.toString(16)).join(" ");
}

/** Blank glyphs that no property of Unicode tells of. */
const BLANK_GLYPHS = ["\u2800", "\ufffc", "\u{13441}", "\u{13442}", "\u{16fe4}", "\u{1d159}"];
/** Format characters that are drawn. */
const DRAWN = /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]/u;
const INVISIBLE = [
  ...codePointsOf(/[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Zl}\p{Zp}]/u),
  ...BLANK_GLYPHS,
].filter((character) => !DRAWN.test(character));

const NAMES = [
  "ann",
  "Ann-Marie O’Neil",
  "李小龍",
  "김철수",
  "Ægir Þórsson",
  "Nguyễn Thị Ánh",
  "عبد الله",
  "محمد",
  // Persian: with a non-joiner between letters.
  "علی\u200cرضا",
  "می\u200cروم",
  "امیر\u200cحسین",
  // Devanagari: a joiner and a non-joiner after a virama.
  "क्\u200dष",
  "क्\u200cष",
  "ශ්\u200dරී",
  "പാര്\u200dവതി",
  "ক্\u200dষ",
  // Emoji of several code points.
  "👨\u200d👩\u200d👧\u200d👦",
  "👩🏽\u200d💻",
  "🏳\ufe0f\u200d🌈",
  "❤\ufe0f\u200d🔥",
  "ann ❤\ufe0f",
  "1\ufe0f\u20e3",
  "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
  "🇩🇪",
  "🧑🏻\u200d🤝\u200d🧑🏿",
  "👩\u200d⚕\ufe0f",
  "a",
  "7",
  ".",
  "\u0600",
];

Deno.test("decodeUser() takes names as people write them", () => {
  for (const name of NAMES) assertEquals(settle(name), name.normalize("NFC"), hex(name));
});

Deno.test("decodeUser() takes no name that only looks like another", () => {
  assert(INVISIBLE.length > 4_000);
  for (const name of ["ann", "李", "ann bob"]) {
    for (const hidden of INVISIBLE) {
      for (const at of [0, 1, name.length]) {
        const disguised = name.slice(0, at) + hidden + name.slice(at);
        const settled = settle(disguised);
        // White space around a name, and of another kind within it, is what the name is without it.
        assert(settled === undefined || settled === name, `${hex(disguised)} became ${settled}`);
      }
    }
  }
});

Deno.test("decodeUser() takes no private use, and nothing that is not assigned", () => {
  const unknown = ["\ue000", "\uf8ff", "\u{f0000}", "\u{10fffd}", "\u0378", "\uffff", "\ufdd0"];
  for (const character of [...unknown, "\u{1ffff}", "\u{e0fff}"]) {
    assertEquals(settle(character), undefined, hex(character));
    assertEquals(settle(`ann${character}`), undefined, hex(character));
  }
});

Deno.test("decodeUser() takes no joiner that joins nothing", () => {
  const none = [
    "an\u200dn",
    "an\u200cn",
    "\u200dann",
    "ann\u200d",
    "علی\u200c",
    "\u200cعلی",
    "علی\u200c\u200cرضا",
    "ann\u200cرضا",
    "👍\u200d",
    "👍\u200d\u200d👍",
    "ann\ufe0f",
    "1\ufe0f",
    "ann\ufe0e",
    "葛\u{e0100}",
    "🏴\u{e0067}",
    "ann\u{e0067}\u{e007f}",
    "a\u180b",
  ];
  for (const name of none) assertEquals(settle(name), undefined, hex(name));
});

Deno.test("decodeUser() takes white space of any kind for one space", () => {
  for (const space of codePointsOf(/\p{Zs}/u)) {
    assertEquals(settle(`ann${space}${space} bob`), "ann bob", hex(space));
    assertEquals(settle(space), undefined, hex(space));
  }
});

Deno.test("decodeUser() settles a name once and for all, and hides nothing in it", () => {
  const part = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 4 }),
    fc.string({ unit: "binary", maxLength: 3 }),
    fc.constantFrom(...NAMES, ...INVISIBLE),
  );
  const name = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(name, (name) => {
      const settled = settle(name);
      if (settled === undefined) return;
      assertEquals(settle(settled), settled);
      const length = [...settled].length;
      assert(length >= 1 && length <= 64);
      assert(/[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}]/u.test(settled), hex(settled));
      // What is left without emoji and joiners is nothing but what can be seen.
      const rest = settled.replace(
        /\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f\u200d]*|[\u200c\u200d]|\ufe0f\u20e3/gu,
        "",
      ).replace(/\u{1f3f4}?[\u{e0030}-\u{e007f}]+/gu, "").replace(/[\u180b-\u180f]/g, "");
      for (const character of rest) {
        const isHidden = /[\p{Default_Ignorable_Code_Point}\p{Cn}\p{Co}]/u.test(character);
        assertFalse(isHidden, `${hex(character)} in ${hex(settled)}`);
      }
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("decodeDraft() takes no text that shows nothing", () => {
  const blank = [...INVISIBLE, ...codePointsOf(/\s/u), "\ufe0f", "\u3164", "\u115f"];
  const take = (text: string) => decodeDraft({ text, ref: "r" });
  for (const character of blank) {
    for (const text of [character, character.repeat(3), ` ${character}\n`]) {
      const decoded = take(text);
      assert(!decoded.ok, hex(text));
      assertEquals([decoded.error.code, decoded.error.ref], ["bad_text", "r"]);
    }
  }
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...blank), { maxLength: 50 }), (parts) => {
      assertFalse(take(parts.join("")).ok);
    }),
  );
});

Deno.test("decodeDraft() takes a text that shows anything, to the letter", () => {
  const shown = [...NAMES, "\u200bhi", "\u0301", "\uf8ff", "\u2800⠓⠊", "-", "\u202eabc", "\u00ad."];
  for (const text of shown) {
    const decoded = decodeDraft({ text });
    assertEquals(decoded.ok && decoded.draft.text, text, hex(text));
  }
});
