import { assertEquals } from "@std/assert";
import { dayKey, dayName } from "../../src/page/calendar.ts";
import { splitLinks } from "../../src/page/links.ts";
import { newMessagesPhrase, retryPhrase, roomLeftPhrase } from "../../src/page/phrases.ts";
import { statePhrase, typingPhrase } from "../../src/page/phrases.ts";

/** The text with each link in brackets. */
function marked(text: string): string {
  const pieces = splitLinks(text);
  assertEquals(pieces.map((piece) => piece.text).join(""), text);
  return pieces.map(({ text, href }) => href === undefined ? text : `[${text}]`).join("");
}

Deno.test("splitLinks() finds http and https links and nothing else", () => {
  assertEquals(marked(""), "");
  assertEquals(marked("no link"), "no link");
  assertEquals(marked("https://a.example"), "[https://a.example]");
  assertEquals(marked("HTTP://A.EXAMPLE/x y"), "[HTTP://A.EXAMPLE/x] y");
  assertEquals(
    marked("a http://a.example b https://b.example/?q=1#x c"),
    [
      "a [http://a.example] b [https://b.example/?q=1#x] c",
    ].join(),
  );
  for (
    const text of ["javascript:alert(1)", "data:text/html,x", "ftp://a.example", "//a.example"]
  ) {
    assertEquals(marked(text), text);
  }
  assertEquals(marked("xhttps://a.example"), "xhttps://a.example");
  assertEquals(marked("https:// https://[ http://a:b:c"), "https:// https://[ http://a:b:c");
});

Deno.test("splitLinks() ends a link where the sentence goes on", () => {
  assertEquals(marked("see https://a.example/b."), "see [https://a.example/b].");
  assertEquals(marked("https://a.example/b?c=d!?"), "[https://a.example/b?c=d]!?");
  assertEquals(marked("(https://a.example/b)"), "([https://a.example/b])");
  assertEquals(marked("(https://a.example/b_(c))."), "([https://a.example/b_(c)]).");
  assertEquals(marked('"https://a.example/b"'), '"[https://a.example/b]"');
  assertEquals(marked("<https://a.example/b>"), "<[https://a.example/b]>");
  assertEquals(marked("https://a.example/b,\nnext"), "[https://a.example/b],\nnext");
});

Deno.test("splitLinks() says where a link leads as an absolute URL", () => {
  const text = "https://user@EXAMPLE.org/ä b";
  assertEquals(splitLinks(text)[0].href, "https://user@example.org/%C3%A4");
});

Deno.test("splitLinks() takes the longest of texts in its stride", () => {
  const started = performance.now();
  for (const part of [")", "https://", "https://a.b/(", ".", "https://a.b/)"]) {
    splitLinks("https://a.example/" + part.repeat(4096 / part.length));
  }
  // Milliseconds here; a mistake in the loop or the pattern would take minutes.
  assertEquals(performance.now() - started < 2_000, true);
});

Deno.test("dayName() says the day, also across the end of summer time and of the year", () => {
  const now = new Date(2026, 2, 29, 23, 30);
  assertEquals(dayName(new Date(2026, 2, 29, 0, 0), now), "Today");
  assertEquals(dayName(new Date(2026, 2, 28, 23, 59), now), "Yesterday");
  assertEquals(dayName(new Date(2026, 2, 27), now), "Friday, 27 March");
  assertEquals(dayName(new Date(2025, 11, 31), now), "31 December 2025");
  assertEquals(dayName(new Date(2025, 11, 31), new Date(2026, 0, 1)), "Yesterday");
  assertEquals(dayKey(new Date(2026, 0, 5)), "2026-01-05");
});

Deno.test("typingPhrase() names up to two", () => {
  const phrases = [[], ["ann"], ["ann", "bob"], ["ann", "bob", "cleo"]].map(typingPhrase);
  assertEquals(phrases, [
    "",
    "ann is typing",
    "ann and bob are typing",
    "several people are typing",
  ]);
});

Deno.test("the phrases of the page say what is the matter", () => {
  assertEquals(statePhrase({ status: "live" }), { short: "Connected" });
  assertEquals(
    statePhrase({ status: "closed", code: 4501, reason: "You are not allowed in." }),
    { short: "Disconnected", long: "You are not allowed in." },
  );
  assertEquals(retryPhrase(10_000, 7_500), "Next try in 3 s.");
  assertEquals(retryPhrase(10_000, 10_001), "Trying now.");
  assertEquals([80, 81, 100, 1101].map((used) => roomLeftPhrase(used, 100)), [
    "",
    "19 bytes left",
    "0 bytes left",
    "Too long by 1,001 bytes",
  ]);
  assertEquals([0, 1, 1200].map(newMessagesPhrase), [
    "Newest messages",
    "1 new message",
    "1,200 new messages",
  ]);
});
