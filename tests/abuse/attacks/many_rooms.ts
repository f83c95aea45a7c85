import type { Target } from "../target.ts";

/** Joins, writes to, reads and looks at a new room each time, by sockets, streams and requests. */
export async function manyRooms(target: Target): Promise<void> {
  const room = () => crypto.randomUUID();
  await Promise.all([
    target.repeat("socket in a new room", { times: 300, pauseMs: 200 }, async () => {
      using socket = await target.enter(room());
      await target.rest(5_000 * Math.random());
      void socket;
    }),
    target.repeat("stream in a new room", { times: 20, pauseMs: 100 }, async () => {
      using _socket = await target.open(`/rooms/${room()}/events`);
      await target.rest(1_000);
    }),
    target.repeat("post to a new room", { times: 8, pauseMs: 5 }, async () => {
      await target.post(room(), "hello");
    }),
    target.repeat("look at a new room", { times: 8, pauseMs: 5 }, async () => {
      const response = await fetch(`${target.url}/rooms/${room()}`);
      await response.body?.cancel();
    }),
  ]);
}
