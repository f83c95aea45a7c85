import { assertEquals, assertGreater } from "@std/assert";
import { canTrace } from "../helpers/injection.ts";
import { runPowercut } from "./powercut_run.ts";

Deno.test({
  name: "what was acknowledged survives a power cut, whatever was not synced",
  ignore: !canTrace(),
  timeout: 600_000,
  async fn() {
    const { account, control } = await runPowercut({ seed: 1, messages: 90, cuts: 15 });
    assertEquals(account.violations.slice(0, 5), []);
    assertGreater(account.checked, 0);
    // Whoever does not sync is found out.
    assertGreater(control.violations.length, 0);
  },
});
