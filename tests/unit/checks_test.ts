import { assertThrows } from "@std/assert";
import {
  checkBoolean,
  checkCallable,
  checkInteger,
  checkNumber,
} from "../../src/protocol/checks.ts";

Deno.test("checkInteger() takes whole numbers of its range, and what is left out", () => {
  for (const value of [undefined, 1, 2, 10]) checkInteger("limit", value, { min: 1, max: 10 });
  checkInteger("limit", 0);
  checkInteger("limit", Number.MAX_SAFE_INTEGER);
});

Deno.test("checkInteger() refuses everything else, and says what may be given", () => {
  for (const value of [0, 11, 1.5, NaN, Infinity, -1]) {
    const message = `Cannot use limit ${value}: it must be a whole number from 1 to 10`;
    assertThrows(() => checkInteger("limit", value, { min: 1, max: 10 }), RangeError, message);
  }
  for (const value of ["5", null, true, {}, [], 5n, Symbol("5"), () => 5]) {
    assertThrows(
      () => checkInteger("limit", value, { min: 1, max: 10 }),
      TypeError,
      "it must be a whole number from 1 to 10",
    );
  }
});

Deno.test("checkNumber() takes fractions, and neither NaN nor infinity", () => {
  for (const value of [undefined, 0, 0.5, 1e9]) checkNumber("rate", value);
  for (const value of [NaN, Infinity, -0.1]) {
    assertThrows(() => checkNumber("rate", value), RangeError, "a number of at least 0");
  }
  assertThrows(() => checkNumber("rate", 3, { max: 2 }), RangeError, "a number from 0 to 2");
  assertThrows(() => checkNumber("rate", "1"), TypeError, 'Cannot use rate "1"');
});

Deno.test("checkBoolean() refuses what is merely true or false for JavaScript", () => {
  for (const value of [undefined, true, false]) checkBoolean("alone", value);
  for (const value of [0, 1, "true", null]) {
    assertThrows(() => checkBoolean("alone", value), TypeError, "it must be true or false");
  }
});

Deno.test("checkCallable() wants a function, or an object with methods", () => {
  checkCallable("now", Date.now);
  checkCallable("fanout", undefined, ["publish"]);
  checkCallable("fanout", { publish() {} }, ["publish"]);
  assertThrows(() => checkCallable("now", 5), TypeError, "Cannot use now 5: it must be a function");
  assertThrows(
    () => checkCallable("fanout", { publish() {} }, ["publish", "close"]),
    TypeError,
    "Cannot use fanout {…}: it has no method close()",
  );
  assertThrows(() => checkCallable("fanout", null, ["publish"]), TypeError, "no method publish()");
});
