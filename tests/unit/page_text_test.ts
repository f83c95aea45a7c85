import { assertEquals } from "@std/assert";
import { isEmojiAlone, splitText } from "../../src/page/rich_text.ts";

const parts = (text: string) =>
  splitText(text, ["ann", "Ann Lee"]).map(({ type, text }) => `${type}: ${text}`);

Deno.test("splitText() finds blocks of code, code in lines, links and mentions of the reader", () => {
  assertEquals(parts("hi"), ["words: hi"]);
  assertEquals(
    parts("look:\n```ts\nlet a;\n\n  b`c`\n```\nat @Ann, `@ann` and https://a.example/@ann"),
    [
      "words: look:",
      "block: let a;\n\n  b`c`",
      "words: at ",
      "mention: @Ann",
      "words: , ",
      "code: @ann",
      "words:  and ",
      "link: https://a.example/@ann",
    ],
  );
  assertEquals(parts("@annette, ask @Ann Lee"), ["words: @annette, ask ", "mention: @Ann Lee"]);
  assertEquals(parts("```\na\n```\n```\nb\n```"), ["block: a", "block: b"]);
});

Deno.test("splitText() leaves what is not closed as it is", () => {
  assertEquals(parts("```ts\nlet a;"), ["words: ```ts\nlet a;"]);
  assertEquals(parts("a ` b"), ["words: a ` b"]);
  assertEquals(parts("```"), ["words: ```"]);
  assertEquals(parts("``` a ``` b"), ["words: ``", "code:  a ", "words: `` b"]);
});

Deno.test("splitText() takes a time that grows with the length only", () => {
  const times = ["```x\n", "`a\n", "```\n", "@ann", "@", "`"].map((piece) => {
    const started = performance.now();
    splitText(piece.repeat(200_000 / piece.length), ["ann"]);
    return performance.now() - started;
  });
  // A quadratic one takes minutes.
  assertEquals(times.filter((ms) => ms > 5_000), []);
});

Deno.test("isEmojiAlone() takes up to three emoji, as a reader counts", () => {
  const large = ["👍", "👍 🎉", "🤦‍♀️", "👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", "🇩🇪", "1️⃣", "❤️"];
  assertEquals(large.filter((text) => !isEmojiAlone(text)), []);
  const others = ["", " ", "👍👍👍👍", "ok 👍", "1", "123", "#", "a", "@ann"];
  assertEquals(others.filter((text) => isEmojiAlone(text)), []);
});
