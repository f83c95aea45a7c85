import { assertEquals } from "@std/assert";
import { findMentions } from "@hubbub/hub/protocol";

function mentionsOf(text: string, ...names: string[]): string[] {
  return findMentions(text, names).map(({ start, end }) => text.slice(start, end));
}

Deno.test("findMentions() finds a name that stands for itself", () => {
  for (
    const text of ["@ann", "hello @ann", "(@ann)", "@ann, hi", "@ann.", "@ann's", "@ann!", "@ann-"]
  ) {
    assertEquals(mentionsOf(text, "ann"), ["@ann"], text);
  }
  assertEquals(mentionsOf("@ANN and\n@Ann", "ann"), ["@ANN", "@Ann"]);
  assertEquals(mentionsOf("@ann @ann", "ann").length, 2);
  assertEquals(mentionsOf("is @Ann Lee there", "u17", "ann lee"), ["@Ann Lee"]);
  // The longer one of the names counts.
  assertEquals(mentionsOf("@ann lee", "ann", "ann lee"), ["@ann lee"]);
  assertEquals(mentionsOf("@李雷 你好", "李雷"), ["@李雷"]);
  assertEquals(mentionsOf("¡@josé!", "José"), ["@josé"]);
  assertEquals(mentionsOf("@a/..b", "a/..b"), ["@a/..b"]);
});

Deno.test("findMentions() passes over longer names and addresses", () => {
  for (
    const text of [
      "",
      "@",
      "ann",
      "@annette",
      "ann@bob.example",
      "bob@ann",
      "bob@ann.example",
      "@ann@bob",
      "@ann_1",
      "@ann2",
      "@ann-marie",
      "@ann.lee",
      "@anné",
      "@ann\u0301",
      "@ ann",
      "x.@ann",
    ]
  ) {
    assertEquals(mentionsOf(text, "ann"), [], text);
  }
  assertEquals(mentionsOf("@", ""), []);
  // Letters whose lower case is longer shift no place.
  assertEquals(mentionsOf("İ @ann", "ann"), ["@ann"]);
});
