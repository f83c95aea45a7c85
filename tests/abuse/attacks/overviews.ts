import { OPCODES } from "../../helpers/raw_socket.ts";
import type { Target } from "../target.ts";
import { longest } from "./long_messages.ts";

/** Rooms that each user is in, as many as an answer has, and messages that are unread in each. */
const ROOMS = 100;
const MESSAGES = 60;

/** Is in many rooms of long messages, and asks again and again how much is unread in all of them. */
export async function overviews(target: Target): Promise<void> {
  const room = (index: number) => `unread-${index % ROOMS}`;
  const joins = Array.from({ length: ROOMS }, (_, index) => {
    return JSON.stringify({ type: "join", room: room(index), payload: { history: 0 } });
  });
  for (let user = 0; user < 20 && !target.isOver; user++) {
    using socket = await target.enterRooms(`mallory ${user}`);
    await socket.send(OPCODES.text, joins.join("\n"));
    await target.rest(100);
    await socket.send(OPCODES.close);
    await Promise.race([socket.end(), target.rest(5_000)]);
  }
  let written = 0;
  await Promise.all([
    target.repeat("message to be unread", { times: 20, pauseMs: 0 }, async () => {
      if (written >= ROOMS * MESSAGES) return await target.rest(1_000);
      if (await target.post(room(written++), longest()) === 429) await target.rest(100);
    }),
    target.repeat("overview", { times: 20, pauseMs: 0 }, async () => {
      const { headers } = target.credentials();
      const url = `${target.url}/users/me/rooms?limit=${ROOMS}`;
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) });
      target.count(`overview got ${response.status}`);
      if (!response.ok) await target.rest(100);
      await response.body?.cancel();
    }),
  ]);
}
