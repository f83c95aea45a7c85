import { assert, assertEquals, assertMatch } from "@std/assert";
import { jsonLogger } from "@hubbub/hub";

function write(fields?: Record<string, unknown>): string {
  const lines: string[] = [];
  jsonLogger((line) => lines.push(line))("warn", "something_happened", fields);
  assertEquals(lines.length, 1);
  return lines[0];
}

Deno.test("jsonLogger() writes one line of JSON an event", () => {
  const line = write({ port: 8000, name: "ann" });
  const { time, ...rest } = JSON.parse(line);
  assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertEquals(rest, { level: "warn", event: "something_happened", port: 8000, name: "ann" });
});

Deno.test("jsonLogger() lets nothing out that a terminal or a log reader would obey", () => {
  const name = "a\r\n\u001b[31m\u007f\u0085\u009b\u061c\u200e\u200f\u2028\u2029\u202e\u2066\u2069z";
  const line = write({ name });
  assertEquals(JSON.parse(line).name, name, "nothing is lost");
  for (const character of line) assert(character >= " " && character <= "~", line);
});

Deno.test("jsonLogger() writes what an error says, and no stack", () => {
  const { error, cause } = JSON.parse(
    write({ error: new TypeError("disk full"), cause: { inner: new RangeError("no") } }),
  );
  assertEquals(error, "TypeError: disk full");
  assertEquals(cause, { inner: "RangeError: no" });
});

Deno.test("jsonLogger() does not throw, whatever was thrown", () => {
  const circle: Record<string, unknown> = { name: "circle" };
  circle.self = circle;
  const { time: _, ...line } = JSON.parse(write({ error: circle }));
  assertEquals(line, { level: "warn", event: "something_happened", unprintable: true });
  assertEquals(JSON.parse(write({ bytes: 2n ** 64n })).bytes, "18446744073709551616");
});
