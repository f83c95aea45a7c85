import type { Target } from "../target.ts";

/** Users with long names that stay in one room. */
const CROWD = 800;
/** Others that come and go there. */
const VISITORS = 20;

/** Fills a room with users of the longest names, and comes and goes there all the time. */
export async function crowds(target: Target): Promise<void> {
  const name = (index: number) => `${index} `.padEnd(62, "👋");
  await Promise.all([
    target.repeat("one of a crowd", { times: CROWD, pauseMs: 1_000 }, async (index) => {
      await target.rest(5_000 * Math.random());
      using socket = await target.enter("crowd", { user: name(index), query: "history=0" });
      await Promise.race([socket.end(), target.rest(3_600_000)]);
    }),
    target.repeat("visitor", { times: VISITORS, pauseMs: 50 }, async (index) => {
      using socket = await target.enter("crowd", { user: `visitor ${index}`, query: "history=0" });
      await socket.until('"joined"');
    }),
  ]);
}
