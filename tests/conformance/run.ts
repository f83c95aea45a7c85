/**
 * Checks a server against the points of `docs/protocol.md`: `deno task conformance`.
 *
 * `--url` is where it is, `--token-url` and `--secret` one that takes tokens, `--admin-token` the token
 * of operators of the first. Without `--url` it starts servers of its own. Points may be given by their numbers; all are checked otherwise.
 */

import { parseArgs } from "node:util";
import type { HubUnderTest } from "./hub_under_test.ts";
import { startOwnHubs } from "./own_hub.ts";
import { checkPoints, type PointResult, POINTS } from "./suite.ts";

const { values, positionals } = parseArgs({
  options: {
    url: { type: "string" },
    "token-url": { type: "string" },
    secret: { type: "string" },
    "admin-token": { type: "string" },
  },
  allowPositionals: true,
});
const { url, secret, "token-url": tokenUrl, "admin-token": token } = values;
const points = POINTS.filter(({ id }) => positionals.length === 0 || positionals.includes(id));

await using own = url === undefined ? await startOwnHubs() : undefined;
const address = `${url}`.replace(/\/$/, "");
const hub: HubUnderTest = own ?? {
  url: address,
  withOperators: token ? { url: address, token } : undefined,
  withTokens: tokenUrl && secret ? { url: tokenUrl.replace(/\/$/, ""), secret } : undefined,
};
const results: PointResult[] = [];
const start = performance.now();
await checkPoints(hub, points, (result) => {
  results.push(result);
  console.log(`${result.id} ${result.outcome}${result.why ? `: ${result.why}` : ""}`);
});
const count = (outcome: PointResult["outcome"]) => {
  return results.filter((result) => result.outcome === outcome).length;
};
const seconds = ((performance.now() - start) / 1000).toFixed(0);
console.log(
  `${count("holds")} hold, ${count("fails")} fail, ${count("unchecked")} unchecked, ${seconds} s`,
);
Deno.exitCode = count("fails") > 0 || points.length === 0 ? 1 : 0;
