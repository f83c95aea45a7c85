import { assertEquals, assertGreater } from "@std/assert";
import { inFolder } from "../helpers/folder.ts";
import { runPeople } from "../helpers/people_agreement.ts";
import { needs } from "../helpers/permissions.ts";

for (const seed of [1, 2, 3]) {
  Deno.test(`who is put out is out as the log says, on every isolate: seed ${seed}`, {
    ...needs("read", "write"),
    // A hub that is killed leaves its database to be closed under it.
    sanitizeOps: false,
    sanitizeResources: false,
  }, async () => {
    await inFolder(async (folder) => {
      const account = await runPeople(seed, `${folder}/kv.sqlite3`);
      assertEquals(account.violations, []);
      assertGreater(account.putOut, 3);
    });
  });
}
