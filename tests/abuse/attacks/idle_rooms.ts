import { OPCODES } from "../../helpers/raw_socket.ts";
import { envelope, type Target } from "../target.ts";
import { longest } from "./long_messages.ts";

/** Rooms that are filled with long messages and kept in memory by one who does nothing. */
const ROOMS = 150;
/** Messages in each, as far as the rates allow. */
const MESSAGES = 512;

/** Fills one room after another with the longest messages, and stays in all of them. */
export async function idleRooms(target: Target): Promise<void> {
  const idle = Array.from({ length: ROOMS }, async (_, index) => {
    await target.repeat("idle room", { pauseMs: 1_000 }, async () => {
      using socket = await target.enter(`idle-${index}`, { query: "history=0" });
      await Promise.race([socket.end(), target.rest(3_600_000)]);
    });
  });
  let room = 0;
  const writers = target.repeat("long messages", { times: 10, pauseMs: 0 }, async (index) => {
    const name = `idle-${room++ % ROOMS}`;
    using socket = await target.enter(name, { user: `writer ${index}`, query: "history=0" });
    const reading = socket.end();
    for (let i = 0; i < MESSAGES && !target.isOver; i++) {
      await socket.send(OPCODES.text, envelope("chat_message", { text: longest() }));
      await target.rest(26);
    }
    await socket.send(OPCODES.close);
    await reading;
  });
  await Promise.all([...idle, writers]);
}
