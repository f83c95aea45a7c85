import { assertEquals } from "@std/assert";
import { KvRoomLog, Metrics } from "@hubbub/hub";
import { mock } from "node:test";
import { cursorAt, tagOf } from "../../src/store/cursor.ts";
import { Tombstones } from "../../src/hub/tombstones.ts";
import { eventually } from "../helpers/patience.ts";
import { storedEntry } from "../helpers/stored_lines.ts";

Deno.test("Tombstones strikes nothing that repeats what a restore took away", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  await log.append(new Map([["lobby", storedEntry(["a", "b", "c"])]]));
  const [a, b, c] = await log.last("lobby", { limit: 9 });
  const metrics = new Metrics();
  const tombstones = new Tombstones({ room: "lobby", log, logger: () => {}, metrics });
  // The window of a hub that has not noticed the restore knows the message that was there before.
  const lost = cursorAt("0".repeat(19) + "1", 0, tagOf("another"));
  const rewrite = mock.method(log, "rewrite");
  tombstones.write([{ record: b, first: lost }, { record: c, first: a.cursor }]);
  await eventually(() => rewrite.mock.callCount() === 1, "the tombstone of the other one");
  await rewrite.mock.calls[0].result;
  const records = await log.last("lobby", { limit: 9 });
  assertEquals(records.map(({ repeats }) => repeats), [undefined, undefined, a.cursor]);
  tombstones.stop();
});
