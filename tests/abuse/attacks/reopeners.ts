import { OPCODES } from "../../helpers/raw_socket.ts";
import type { Target } from "../target.ts";
import { longest } from "./long_messages.ts";

/** Rooms in which nobody is, and messages in each of them. */
const ROOMS = 4;
const MESSAGES = 250;
/** Milliseconds between two joins of a connection: as fast as it may in the long run. */
const JOIN_MS = 50;

/** Joins rooms full of long messages and leaves them at once: each time their logs are read back. */
export async function reopeners(target: Target): Promise<void> {
  await target.repeat("filled room", { times: ROOMS }, async (index) => {
    for (let i = 0; i < MESSAGES && !target.isOver; i++) {
      const status = await target.post(`reopened-${index}`, longest(), `writer ${i % 20} ${index}`);
      if (status === 429) await target.rest(100);
    }
    await target.repeat("reopener", { times: 15, pauseMs: 500 }, async (user) => {
      using socket = await target.enterRooms(`reopener ${index} ${user}`);
      let isCut = false;
      const reading = socket.end().catch(() => {}).finally(() => isCut = true);
      const room = `reopened-${index}`;
      const join = JSON.stringify({ type: "join", room, payload: { history: 0 } });
      const leave = JSON.stringify({ type: "leave", room, payload: {} });
      try {
        while (!target.isOver && !isCut) {
          const text = `${join}\n${leave}`;
          await target.upload(text.length);
          await socket.send(OPCODES.text, text);
          await target.rest(JOIN_MS);
        }
        await socket.send(OPCODES.close);
      } catch {
        // It was cut in the middle.
      }
      await Promise.race([reading, target.rest(5_000)]);
    });
  });
}
