import { pick, type Target } from "../target.ts";

/** Asks as fast as it can for whatever there is to ask, by all methods. */
export async function questions(target: Target): Promise<void> {
  const long = "a/".repeat(3_000);
  const paths = [
    "/health",
    "/metrics",
    "/",
    "/r/lobby",
    "/assets/page.js",
    "/rooms/one",
    "/rooms/one/messages?limit=100",
    "/rooms/one/messages?after=00000000000000000000&limit=100",
    "/rooms/%F0%9F%98%80/messages?before=x",
    "/rooms/" + "%E2%80%8D".repeat(500),
    "/rooms/one/events?user=x&history=0",
    "/rooms/one/ws",
    `/${long}`,
    `/?${"a=b&".repeat(2_000)}`,
    "//rooms//one",
  ];
  const methods = ["GET", "GET", "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PROPFIND"];
  await target.repeat("question", { times: 30, pauseMs: 0 }, async () => {
    const headers: Record<string, string> = {
      "accept-encoding": pick(["br", "gzip", `${"x,".repeat(2_000)}*;q=0`]),
      "if-none-match": pick(["*", '"x"', '"x",'.repeat(1_000)]),
      "x-forwarded-for": `192.0.2.${Math.floor(200 * Math.random())}`,
      cookie: "a=b; ".repeat(500),
      accept: "*/*",
    };
    const signal = AbortSignal.timeout(5_000);
    const method = pick(methods);
    const response = await fetch(target.url + pick(paths), { method, headers, signal });
    target.count(`${response.status}`);
    if (response.status >= 500 && response.status !== 503) {
      target.surprise(`question: got ${response.status}`);
    }
    await response.body?.cancel();
  });
}
