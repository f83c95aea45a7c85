import { assert, assertEquals, assertFalse } from "@std/assert";
import { UserSet } from "../../src/cluster/user_set.ts";

Deno.test("UserSet.add() tells a user's first holder, remove() the last", () => {
  const roster = new UserSet<number>();
  assert(roster.add("ann", 1));
  assertFalse(roster.add("ann", 2));
  assertFalse(roster.remove("ann", 1));
  assert(roster.has("ann"));
  assert(roster.remove("ann", 2));
  assertFalse(roster.has("ann"));
});

Deno.test("UserSet changes nothing when the same is added or removed twice", () => {
  const roster = new UserSet<number>();
  assert(roster.add("ann", 1));
  assertFalse(roster.add("ann", 1));
  assert(roster.remove("ann", 1));
  assertFalse(roster.remove("ann", 1));
  assertFalse(roster.remove("bob", 1));
  assertEquals(roster.size, 0);
});

Deno.test("UserSet keeps users apart, also those with the same holder", () => {
  const roster = new UserSet<number>();
  assert(roster.add("ann", 1));
  assert(roster.add("bob", 1));
  assertFalse(roster.remove("ann", 2), "it was never hers");
  assert(roster.remove("ann", 1));
  assertEquals(roster.users(), ["bob"]);
});

Deno.test("UserSet.users() is sorted by code unit", () => {
  const roster = new UserSet<number>();
  for (const user of ["b", "ä", "a", "B", "__proto__"]) roster.add(user, 1);
  assertEquals(roster.users(), ["B", "__proto__", "a", "b", "ä"]);
  assertEquals(roster.size, 5);
  roster.clear();
  assertEquals(roster.users(), []);
  assert(roster.add("a", 1), "cleared means forgotten");
});
