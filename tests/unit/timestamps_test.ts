import { assertEquals, assertThrows } from "@std/assert";
import { createTimestamps } from "../../src/hub/timestamps.ts";

Deno.test("createTimestamps() tells what the clock says, also where it stands or goes back", () => {
  const times = [0, 0, 1, 1_767_319_445_678, 1_767_319_445_678, 1, 0];
  const read = times[Symbol.iterator]();
  const timestamp = createTimestamps(() => read.next().value!);
  assertEquals(times.map(() => timestamp()), times.map((ms) => new Date(ms).toISOString()));
});

Deno.test("createTimestamps() goes on after a time that no date has", () => {
  const read = [1, NaN, 1][Symbol.iterator]();
  const timestamp = createTimestamps(() => read.next().value!);
  assertEquals(timestamp(), "1970-01-01T00:00:00.001Z");
  assertThrows(() => timestamp(), RangeError);
  assertEquals(timestamp(), "1970-01-01T00:00:00.001Z");
});
