import { assert, assertEquals, assertThrows } from "@std/assert";
import { VARIABLES } from "@hubbub/hub/service";
import { fitConnections, HELP, parseArguments } from "../../src/service/command_line.ts";

Deno.test("parseArguments() reads what there is, and refuses the rest", () => {
  const none = { help: false, descriptors: undefined };
  assertEquals(parseArguments([]), none);
  assertEquals(parseArguments(["--help"]).help, true);
  assertEquals(parseArguments(["-h"]).help, true);
  assertEquals(parseArguments(["--descriptors=200"]).descriptors, 200);
  // What a shell puts there where the number is not known.
  assertEquals(parseArguments(["--descriptors="]), none);
  assertEquals(parseArguments(["--descriptors=unlimited"]), none);
  for (const argument of ["--descriptors=many", "--descriptors=-1", "--port=1", "lobby", ""]) {
    assertThrows(() => parseArguments([argument]), RangeError, `no argument "${argument}"`);
  }
});

Deno.test("fitConnections() keeps connections below the descriptors", () => {
  assertEquals(fitConnections(20_000, undefined, 1), 20_000);
  assertEquals(fitConnections(20_000, 1_048_576, 4), 20_000);
  assertEquals(fitConnections(50, 1_048_576, 4), 50);
  for (const [descriptors, workers] of [[200, 1], [1024, 4], [20_000, 2]]) {
    const connections = fitConnections(20_000, descriptors, workers);
    assert(connections * workers < descriptors - 30, `${connections} of ${descriptors}`);
    assert(connections * workers > descriptors / 2, `${connections} of ${descriptors}`);
  }
  assertEquals(fitConnections(20_000, 10, 4), 1);
});

Deno.test("--help names variables that there are", () => {
  const known: readonly string[] = [...VARIABLES, "DENO_JOBS"];
  const named = HELP.match(/\bHUBBUB_\w+|\bDENO_JOBS\b|\bPORT\b|\bHOST\b/g) ?? [];
  assert(named.length > 6);
  assertEquals(named.filter((name) => !known.includes(name)), []);
});
