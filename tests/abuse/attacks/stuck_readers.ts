import { ORIGIN } from "../../../src/store/cursor.ts";
import { envelope, flood, type Target } from "../target.ts";
import { long } from "./long_messages.ts";

/** Milliseconds for which a reader that is stuck stays. */
const STUCK_MS = 60_000;

/**
 * Joins a busy room and reads nothing more; some want all that was ever said there, and some as
 * server-sent events.
 */
export async function stuckReaders(target: Target): Promise<void> {
  const readers = target.repeat("stuck reader", { times: 40, pauseMs: 100 }, async (index) => {
    const query = index % 2 === 0 ? "" : `after=${ORIGIN}`;
    const route = index % 4 < 2 ? "ws" : "events";
    using _socket = await target.open(`/rooms/noise/${route}`, { query });
    await target.rest(STUCK_MS * (0.5 + Math.random()));
  });
  const writers = target.repeat("noise", { times: 3, pauseMs: 500 }, async () => {
    using socket = await target.enter("noise");
    await flood(target, socket, envelope("chat_message", { text: long() }), 55);
  });
  await Promise.all([readers, writers]);
}
