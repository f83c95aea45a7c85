import { assertEquals, assertGreater } from "@std/assert";
import { runSeeds, summary } from "./agreement_run.ts";
import { needs } from "../helpers/permissions.ts";

Deno.test({
  name: "Hub keeps one order, no gap and no double, whatever is lost, killed or put back",
  ...needs("read", "write"),
  async fn() {
    const accounts = await runSeeds(1, { runs: 8 });
    for (const { seed, violations } of accounts) {
      const repeat = `deno task agreement --seed ${seed} --runs 1`;
      assertEquals(violations.slice(0, 8), [], `seed ${seed}: repeat it with ${repeat}`);
    }
    console.log(summary(accounts));
    // The model must have met what it is there for.
    for (
      const key of [
        "checked",
        "dropped",
        "thrown",
        "killed",
        "resumed",
        "resent",
        "struck",
        "restored",
        "takenBack",
      ] as const
    ) {
      assertGreater(accounts.reduce((sum, account) => sum + account[key], 0), 0, key);
    }
  },
});
