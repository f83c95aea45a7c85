import { assert, assertEquals } from "@std/assert";
import { decodeSanction, type SanctionBody } from "@hubbub/hub/protocol";
import { recordOf, Sanctions } from "../../src/hub/sanctions.ts";

Deno.test("decodeSanction() takes what may be done to a user, and nothing else", () => {
  const right: SanctionBody[] = [
    { user: "mallory", kind: "kick" },
    { user: "a/b", kind: "ban", seconds: 1 },
    { user: "..", kind: "mute", seconds: 3_153_600_000, reason: "x".repeat(200) },
  ];
  for (const body of right) {
    const decoded = decodeSanction(body);
    assert(decoded.ok);
    assertEquals(decoded.sanction, body);
  }
  const spaced = decodeSanction({ user: " mal  lory ", kind: "ban" });
  assert(spaced.ok && spaced.sanction.user === "mal lory", "as rooms show it");
  const wrong: [unknown, string][] = [
    [null, "bad_body"],
    [[], "bad_body"],
    [{ kind: "ban" }, "bad_user"],
    [{ user: "\u200b", kind: "ban" }, "bad_user"],
    [{ user: "a", kind: "shun" }, "bad_body"],
    [{ user: "a" }, "bad_body"],
    [{ user: "a", kind: "kick", seconds: 5 }, "bad_body"],
    [{ user: "a", kind: "ban", seconds: 0 }, "bad_body"],
    [{ user: "a", kind: "ban", seconds: 1.5 }, "bad_body"],
    [{ user: "a", kind: "ban", seconds: "60" }, "bad_body"],
    [{ user: "a", kind: "ban", seconds: 3_153_600_001 }, "bad_body"],
    [{ user: "a", kind: "ban", reason: "x".repeat(201) }, "bad_body"],
    [{ user: "a", kind: "ban", reason: "\ud800" }, "bad_body"],
    [{ user: "a", kind: "ban", minutes: 1 }, "unknown_field"],
  ];
  for (const [body, code] of wrong) {
    const decoded = decodeSanction(body);
    assertEquals(decoded.ok ? "ok" : decoded.error.code, code, JSON.stringify(body));
  }
});

Deno.test("Sanctions hold until they are lifted or their time is over", () => {
  let now = 1_000_000;
  const sanctions = new Sanctions(() => now);
  const impose = (body: SanctionBody) => sanctions.apply(recordOf(body, "ann", now));
  const muted = impose({ user: "m:1", kind: "mute", seconds: 60, reason: "Calm down" });
  assertEquals([muted?.user, muted?.code], ["m:1", "muted"]);
  assertEquals(impose({ user: "b", kind: "ban" }), {
    user: "b",
    code: "banned",
    message: "You are banned here",
    isByOperator: false,
  });
  assertEquals(impose({ user: "k", kind: "kick" })?.code, "kicked");
  assertEquals(sanctions.problemOf("m:1", "member"), {
    code: "muted",
    message: "You are muted here: Calm down",
    retry_after_ms: 60_000,
  });
  assertEquals([sanctions.banOf("m:1", "member"), sanctions.problemOf("k", "member")], [
    undefined,
    undefined,
  ]);
  assertEquals(sanctions.banOf("b", "member")?.code, "banned");
  assertEquals(sanctions.list().map(({ user, kind, by }) => [user, kind, by]), [
    ["b", "ban", "ann"],
    ["m:1", "mute", "ann"],
  ]);
  now += 59_999;
  assertEquals(sanctions.problemOf("m:1", "member")?.retry_after_ms, 1);
  now += 1;
  assertEquals(sanctions.problemOf("m:1", "member"), undefined);
  assertEquals(sanctions.list().map(({ user }) => user), ["b"]);
  assertEquals(sanctions.apply({ name: "ban:b", value: null }), undefined);
  assertEquals([sanctions.problemOf("b", "member"), sanctions.list()], [undefined, []]);
});

Deno.test("A ban that is over by the clock of this isolate puts nobody out", () => {
  const sanctions = new Sanctions(() => 10_000);
  const past = recordOf({ user: "b", kind: "ban", seconds: 1 }, "ann", 0);
  assertEquals([sanctions.apply(past), sanctions.banOf("b", "member")], [undefined, undefined]);
});

Deno.test("Sanctions pass over control records that are none, and do not grow with expired ones", () => {
  let now = 0;
  const sanctions = new Sanctions(() => now);
  for (const name of ["", "topic", "ban", "ban:", "shun:b", "__proto__"]) {
    assertEquals(sanctions.apply({ name, value: { by: "ann", at: 0 } }), undefined);
  }
  const wrong: unknown[] = [{}, { by: 7, at: 0 }, { by: "ann" }, { by: "ann", at: 0, until: "x" }];
  for (const value of wrong) sanctions.apply({ name: "ban:b", value: value as never });
  assertEquals([sanctions.list(), sanctions.banOf("b", "member")], [[], undefined]);
  for (let n = 0; n < 5_000; n++) {
    now = 10_000 * n;
    sanctions.apply(recordOf({ user: `u${n}`, kind: "mute", seconds: 1 }, "ann", now));
  }
  assertEquals(sanctions.list().map(({ user }) => user), ["u4999"]);
});

Deno.test("Sanctions of moderators do not hold for moderators, those of operators do", () => {
  const sanctions = new Sanctions(() => 0);
  for (const kind of ["mute", "ban"] as const) {
    sanctions.apply(recordOf({ user: "bob", kind }, "ann", 0));
  }
  assertEquals(sanctions.problemOf("bob", "moderator"), undefined);
  assertEquals(sanctions.problemOf("bob", "member")?.code, "banned");
  sanctions.apply(recordOf({ user: "bob", kind: "mute" }, undefined, 0));
  assertEquals(sanctions.problemOf("bob", "moderator")?.code, "muted");
  assertEquals(sanctions.apply(recordOf({ user: "bob", kind: "kick" }, undefined, 0)), {
    user: "bob",
    code: "kicked",
    message: "You were put out of the room",
    isByOperator: true,
  });
});
