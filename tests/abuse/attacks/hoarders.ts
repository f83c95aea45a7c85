import type { Target } from "../target.ts";
import { longest } from "./long_messages.ts";

/** Sockets that ask for all the history there is, and never read it. */
const HOARDERS = 150;

/** Enters a room of long messages with `history=100`, again and again, and does not read. */
export async function hoarders(target: Target): Promise<void> {
  for (let i = 0; i < 120 && !target.isOver; i++) {
    if (await target.post("hoard", longest(), `writer ${i}`) === 429) await target.rest(200);
  }
  await target.repeat("hoarder", { times: HOARDERS, pauseMs: 500 }, async (index) => {
    const isStream = index % 3 === 0;
    const query = "history=100";
    using _socket = isStream
      ? await target.open("/rooms/hoard/events", { query })
      : await target.enter("hoard", { query });
    await target.rest(20_000 + 20_000 * Math.random());
  });
}
