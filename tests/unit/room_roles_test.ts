import { assert, assertEquals } from "@std/assert";
import { RoomRoles } from "../../src/access/room_roles.ts";

function roleIn(rooms: unknown, room: string): string {
  const roles = RoomRoles.parse(rooms);
  assert(roles, JSON.stringify(rooms));
  return roles.roleIn(room);
}

Deno.test("RoomRoles takes a list of patterns for rooms open to a member", () => {
  assertEquals(roleIn(["lobby", "team-*"], "lobby"), "member");
  assertEquals(roleIn(["lobby", "team-*"], "team-a"), "member");
  assertEquals(roleIn(["lobby", "team-*"], "staff"), "none");
  assertEquals(roleIn([], "lobby"), "none");
});

Deno.test("RoomRoles lets the longest pattern decide, and of equal length the lowest role", () => {
  const rooms = {
    "*": "reader",
    "team-*": "member",
    "team-red": "moderator",
    "*-staff": "none",
    "team-*-x": "moderator",
    "*-secret": "none",
    "team-rxx": "none",
  };
  const expected = {
    lobby: "reader",
    "team-blue": "member",
    "team-red": "moderator",
    "a-staff": "none",
    "team-staff": "none", // longer than "team-*"
    "team-1-x": "moderator",
    "team-secret": "none",
    "team-rxx": "none",
  };
  for (const order of [Object.entries(rooms), Object.entries(rooms).toReversed()]) {
    const given = Object.fromEntries(order);
    for (const [room, role] of Object.entries(expected)) assertEquals(roleIn(given, room), role);
  }
  // "team-*" and "team-a" are of one length.
  assertEquals(roleIn({ "team-*": "moderator", "team-a": "reader" }, "team-a"), "reader");
  assertEquals(roleIn({ "team-*": "reader", "team-a": "moderator" }, "team-a"), "reader");
  assertEquals(roleIn({ "team-*": "moderator", "*eam-a": "none" }, "team-a"), "none");
});

Deno.test("RoomRoles lets the star stand anywhere, and as often as one likes", () => {
  for (const pattern of ["*", "**", "a*", "*c", "a*c", "*b*", "a*b*c", "*a*b*c*", "abc*", "*abc"]) {
    assertEquals(roleIn([pattern], "abc"), "member", pattern);
  }
  for (const pattern of ["", "ab", "a*d", "*ab", "bc*", "abc*c", "a*b*b*c", "*.c"]) {
    assertEquals(roleIn([pattern], "abc"), "none", pattern);
  }
  // No regular expression: its characters mean themselves.
  assertEquals(roleIn(["a.c", "[abc]*", "(a|b)*"], "abc"), "none");
});

Deno.test("RoomRoles refuses what is neither a list nor patterns with roles", () => {
  const wrong: unknown[] = [
    "lobby",
    7,
    null,
    true,
    [7],
    [["lobby"]],
    ["x".repeat(129)],
    Array(257).fill("lobby"),
    { lobby: "admin" },
    { lobby: true },
    { lobby: null },
    { lobby: ["member"] },
    { ["x".repeat(129)]: "member" },
    { lobby: "toString" },
    Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`room-${n}`, "member"])),
  ];
  for (const rooms of wrong) assertEquals(RoomRoles.parse(rooms), undefined, JSON.stringify(rooms));
  const own = JSON.parse('{"__proto__":"none","*":"member"}');
  assertEquals([roleIn(own, "__proto__"), roleIn(own, "lobby")], ["none", "member"]);
});

Deno.test("RoomRoles is not slowed down by patterns made for that", () => {
  const patterns = Object.fromEntries(
    Array.from({ length: 256 }, (_, n) => ["*a".repeat(60) + n, "moderator"]),
  );
  const roles = RoomRoles.parse(patterns);
  assert(roles);
  const startedAt = performance.now();
  for (let i = 0; i < 100; i++) roles.roleIn("a".repeat(64));
  // Some 30 ms; a pattern that is tried again from every star would not end at all.
  assert(performance.now() - startedAt < 10_000);
});
