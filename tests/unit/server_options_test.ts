import { assertThrows } from "@std/assert";
import { createServer, Hub, KvRoomLog, type ServerOptions, tokenAuthorizer } from "@hubbub/hub";

type ErrorClass = typeof RangeError | typeof TypeError;

const WRONG: [options: Record<string, unknown>, error: ErrorClass, message: string][] = [
  [{ maxConnections: NaN }, RangeError, "Cannot use maxConnections NaN"],
  [{ maxConnections: 1.5 }, RangeError, "Cannot use maxConnections 1.5"],
  [{ maxConnectionsPerAddress: -1 }, RangeError, "Cannot use maxConnectionsPerAddress -1"],
  [{ maxConnectionsPerRoom: Infinity }, RangeError, "Cannot use maxConnectionsPerRoom Infinity"],
  [{ maxConnectionsPerUser: "5" }, TypeError, 'Cannot use maxConnectionsPerUser "5"'],
  [{ requestsPerSecondPerAddress: NaN }, RangeError, "Cannot use requestsPerSecondPerAddress NaN"],
  [{ proxies: -1 }, RangeError, "Cannot use proxies -1"],
  [{ proxies: 0.5 }, RangeError, "Cannot use proxies 0.5"],
  [{ origins: ["https://a.example/"] }, TypeError, 'it must be "https://a.example", as browsers'],
  [{ origins: ["https://a.example/chat"] }, TypeError, "without a path"],
  [{ origins: ["*"] }, TypeError, 'Cannot use the origin "*"'],
  [{ origins: "https://a.example" }, TypeError, 'Cannot use origins "https://a.example"'],
  [{ origins: [7] }, TypeError, "Cannot use the origin 7"],
  [{ hosts: ["http://a.example"] }, TypeError, 'Cannot use the host "http://a.example"'],
  [{ hosts: "a.example" }, TypeError, 'Cannot use hosts "a.example"'],
  [{ authorize: {} }, TypeError, "Cannot use authorize {…}: it must be a function"],
  [{ authorizeTimeoutMs: 0 }, RangeError, "Cannot use authorizeTimeoutMs 0"],
  [{ authorizeTimeoutMs: Infinity }, RangeError, "Cannot use authorizeTimeoutMs Infinity"],
];

Deno.test("createServer() refuses options that cannot be used, where they are given", async (t) => {
  using kv = await Deno.openKv(":memory:");
  const hub = new Hub(new KvRoomLog(kv));
  for (const [options, error, message] of WRONG) {
    await t.step(JSON.stringify(options), () => {
      assertThrows(() => createServer(hub, options as ServerOptions), error, message);
    });
  }
  // Nothing of it is left behind: the hub can have a server still, and one only.
  await using _server = createServer(hub);
  assertThrows(() => createServer(hub), TypeError, "its hub has a server already");
});

Deno.test("tokenAuthorizer() refuses options that cannot be used", () => {
  const secret = "x".repeat(32);
  assertThrows(() => tokenAuthorizer({ secret: "x" }), RangeError, "32 bytes or more");
  assertThrows(
    () => tokenAuthorizer({ jwksUrl: "issuer.example/keys" }),
    TypeError,
    'Cannot use jwksUrl "issuer.example/keys": it must be an http or https address',
  );
  for (const audience of ["", [], [""], [7]] as unknown as string[]) {
    assertThrows(() => tokenAuthorizer({ secret, audience }), TypeError, "Cannot use audience");
  }
});
