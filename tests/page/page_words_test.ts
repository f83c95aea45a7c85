import { assertEquals, assertLess } from "@std/assert";
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
  const text = "https://EXAMPLE.org/ä b";
  assertEquals(splitLinks(text)[0].href, "https://example.org/%C3%A4");
});

Deno.test("splitLinks() ends a link before the punctuation of other scripts", () => {
  const texts: Record<string, string> = {
    "https://example.com。谢谢": "[https://example.com]。谢谢",
    "看https://example.com谢谢": "看[https://example.com]谢谢",
    "看 https://example.com谢谢": "看 [https://example.com]谢谢",
    "https://example.com，谢谢": "[https://example.com]，谢谢",
    "（https://example.com/a）": "（[https://example.com/a]）",
    "「https://example.com/a」": "「[https://example.com/a]」",
    "https://example.com/a！": "[https://example.com/a]！",
    "https://example.com/a…": "[https://example.com/a]…",
    "“https://example.com/a”": "“[https://example.com/a]”",
    "https://example.com؟ شكرا": "[https://example.com]؟ شكرا",
    "https://example.com।": "[https://example.com]।",
    "https://example.com．evil.example": "[https://example.com]．evil.example",
    "https://example.com／evil": "[https://example.com]／evil",
    "https://ja.example/wiki/スター・ウォーズ": "[https://ja.example/wiki/スター・ウォーズ]",
    "https://zh.example/wiki/中文": "[https://zh.example/wiki/中文]",
    "https://en.example/Bose–Einstein": "[https://en.example/Bose–Einstein]",
  };
  for (const [text, expected] of Object.entries(texts)) assertEquals(marked(text), expected);
});

Deno.test("splitLinks() shows the host that is reached, or makes no link", () => {
  for (
    const text of [
      "https://example.com@evil.example",
      "https://example.com:80@evil.example/",
      "https://exam%70le.com",
      "https://0x7f.1/",
      "https://2130706433/",
      "https://ⓔxample.com/",
      "https://exam\u200bple.com/",
      "https://exam\u00adple.com/",
      "https://example.com/\u202egpj.exe",
    ]
  ) assertEquals(splitLinks(text).filter(({ href }) => href !== undefined), [], text);
  assertEquals(marked("https://a.example\\@b.example/"), "[https://a.example]\\@b.example/");
  const [{ host }] = splitLinks("https://\u0430pple.com/");
  assertEquals(host, "xn--pple-43d.com");
  const [plain] = splitLinks("https://127.0.0.1:8000/r/a");
  assertEquals(plain, { text: "https://127.0.0.1:8000/r/a", href: "https://127.0.0.1:8000/r/a" });
  assertEquals(
    marked("http://[::1]:8000/ http://a_b.example"),
    "[http://[::1]:8000/] [http://a_b.example]",
  );
});

Deno.test("splitLinks() takes a time that grows with the length, and no link beyond 2,048", () => {
  assertEquals(marked(`https://a.b/${"c".repeat(2036)}`), `[https://a.b/${"c".repeat(2036)}]`);
  assertEquals(marked(`https://a.b/${"c".repeat(2037)}`), `https://a.b/${"c".repeat(2037)}`);
  // A hundred times the longest message: quadratic steps would be ten thousand times as many, and
  // take minutes, linear ones some hundredths of a second.
  const started = performance.now();
  for (const part of [")", "https://", "https://a.b/(", ".", "https://a.b/)", "ü", "字.", "%"]) {
    for (const start of ["https://", "https://a.b/"]) {
      splitLinks(start + part.repeat(400_000 / part.length));
    }
  }
  assertLess(performance.now() - started, 20_000);
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

Deno.test("typingPhrase() keeps names of any direction in their place", () => {
  const [both] = [["אבא", "bob"]].map(typingPhrase);
  assertEquals(both, "\u2068אבא\u2069 and bob are typing");
  assertEquals(typingPhrase(["زهرا"]), "\u2068زهرا\u2069 is typing");
});

Deno.test("the phrases of the page say what is the matter", () => {
  assertEquals(statePhrase({ status: "live" }), { short: "Connected" });
  assertEquals(
    statePhrase({ status: "closed", code: 4501, reason: "You are not allowed in." }),
    { short: "Disconnected", long: "You are not allowed in." },
  );
  assertEquals(retryPhrase(10_000, 7_500), "Next try in 3 s.");
  assertEquals(retryPhrase(10_000, 10_001), "Trying now.");
  assertEquals([80, 81, 99, 1101].map((used) => roomLeftPhrase("x".repeat(used), 100)), [
    "",
    "19 characters left",
    "1 character left",
    "Too long by 1,001 characters",
  ]);
  // What people count, not bytes: here of four each.
  assertEquals([21, 23, 26].map((used) => roomLeftPhrase("👍".repeat(used), 100)), [
    "4 characters left",
    "2 characters left",
    "Too long by 1 character",
  ]);
  assertEquals([0, 1, 1200].map(newMessagesPhrase), [
    "Newest messages",
    "1 new message",
    "1,200 new messages",
  ]);
});
