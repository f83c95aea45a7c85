import type { Target } from "../target.ts";

/** A name of a member that behaves, elsewhere. */
export const SQUATTED = "zoe";

/** Posts each message under a name of its own, and opens sockets under new names. */
export async function newNames(target: Target): Promise<void> {
  await Promise.all([
    target.repeat("post of a new name", { times: 20, pauseMs: 0 }, async () => {
      if (await target.post("names", "hello", target.newName()) === 429) await target.rest(20);
    }),
    target.repeat("socket of a new name", { times: 10, pauseMs: 20 }, async () => {
      using socket = await target.enter("names", { user: target.newName(), query: "history=0" });
      await socket.until("joined");
      await target.rest(1_000);
    }),
  ]);
}

/** Takes all the connections and all the messages that a name may have, and more. */
export async function squatters(target: Target): Promise<void> {
  await Promise.all([
    target.repeat("squatter", { times: 150, pauseMs: 1_000 }, async () => {
      using socket = await target.enter("squat", { user: SQUATTED, query: "history=0" });
      await Promise.race([socket.end(), target.rest(10_000)]);
    }),
    target.repeat("squatter's message", { times: 4, pauseMs: 5 }, async () => {
      await target.post("squat", "hello", SQUATTED);
    }),
  ]);
}
