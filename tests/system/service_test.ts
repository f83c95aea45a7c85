import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readConfiguration } from "@hubbub/hub/service";
import { StartError, startService } from "@hubbub/hub/service";

Deno.test("startService() says how to get KV where Deno has none", async () => {
  const property = Object.getOwnPropertyDescriptor(Deno, "openKv")!;
  Object.defineProperty(Deno, "openKv", { value: undefined, configurable: true });
  try {
    const configuration = readConfiguration(() => undefined);
    const options = { logger() {}, onListenerClosed() {} };
    const error = await assertRejects(() => startService(configuration, options), StartError);
    assertEquals(error.event, "no_kv");
    assertMatch(error.message, /start it with --unstable-kv, or .+"unstable": \["kv"\]/);
  } finally {
    Object.defineProperty(Deno, "openKv", property);
  }
});
