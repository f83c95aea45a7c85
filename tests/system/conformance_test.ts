// Every numbered point of docs/protocol.md, over the wire.

import { assert, assertEquals } from "@std/assert";
import { startOwnHubs } from "../conformance/own_hub.ts";
import { checkPoints, type PointResult, POINTS } from "../conformance/suite.ts";
import { Document } from "../helpers/document.ts";
import { needs } from "../helpers/permissions.ts";

Deno.test("every point of protocol.md has a check, and every check a point", needs("read"), () => {
  const { text } = Document.read("docs/protocol.md");
  const numbered = [...text.matchAll(/^- \*\*([A-Z]\w+-\d+)\*\* /gm)].map(([, id]) => id);
  assert(numbered.length > 60);
  assertEquals(POINTS.map(({ id }) => id).toSorted(), numbered.toSorted());
  assertEquals(new Set(numbered).size, numbered.length);
  // Numbers stay: they run without a gap, and new ones come at the end.
  for (const chapter of ["ALL", "V1", "V2", "HTTP", "CHANGE", "WHO", "READ", "OPS"]) {
    const own = numbered.filter((id) => id.startsWith(`${chapter}-`));
    assertEquals(own, own.map((_, index) => `${chapter}-${index + 1}`));
  }
  const mentioned = text.match(/\b(?:ALL|V1|V2|HTTP|CHANGE|WHO|READ|OPS)-\d+\b/g) ?? [];
  assertEquals(mentioned.filter((id) => !numbered.includes(id)), []);
});

Deno.test("every point of protocol.md holds over the wire", needs("read", "net"), async (t) => {
  await using hub = await startOwnHubs();
  const results: PointResult[] = [];
  await checkPoints(hub, POINTS, (result) => results.push(result));
  for (const { id, outcome, why } of results) {
    await t.step(id, () => assert(outcome === "holds", why));
  }
});
