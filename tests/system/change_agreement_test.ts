import { assertEquals, assertGreater } from "@std/assert";
import { runChanges } from "../helpers/change_agreement.ts";
import { inFolder } from "../helpers/folder.ts";
import { needs } from "../helpers/permissions.ts";

for (const seed of [1, 2, 3]) {
  Deno.test(`everybody folds changes together as the log has them: seed ${seed}`, {
    ...needs("read", "write"),
    // A hub that is killed leaves its database to be closed under it.
    sanitizeOps: false,
    sanitizeResources: false,
  }, async () => {
    await inFolder(async (folder) => {
      const account = await runChanges(seed, `${folder}/kv.sqlite3`);
      assertEquals(account.violations, []);
      assertGreater(account.changes, 10);
    });
  });
}
