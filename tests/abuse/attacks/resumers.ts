import { ORIGIN } from "../../../src/store/cursor.ts";
import { OPCODES } from "../../helpers/raw_socket.ts";
import { envelope, pick, type Target } from "../target.ts";
import { longest } from "./long_messages.ts";

/** Rooms of long messages, and messages in each: more than are kept in memory. */
const ROOMS = 4;
const MESSAGES = 60;
/** Sockets that come at once. */
const SOCKETS = 400;

/**
 * Comes back to rooms in which nobody is, from where their logs begin: each of them has to be opened
 * and read anew.
 */
export async function resumers(target: Target): Promise<void> {
  for (let room = 0; room < ROOMS && !target.isOver; room++) {
    using socket = await target.enter(`resume-${room}`, { query: "history=0" });
    const reading = socket.end();
    for (let i = 0; i < MESSAGES && !target.isOver; i++) {
      await socket.send(OPCODES.text, envelope("chat_message", { text: longest() }));
      await target.rest(25);
    }
    await socket.send(OPCODES.close);
    await reading;
  }
  while (!target.isOver) {
    await Promise.all(Array.from({ length: SOCKETS }, async () => {
      try {
        const room = `resume-${Math.floor(ROOMS * Math.random())}`;
        using socket = await target.enter(room, {
          query: pick([`after=${ORIGIN}`, "history=100"]),
        });
        await Promise.race([socket.until('"joined"'), target.rest(5_000)]);
        target.count("resumer");
      } catch {
        target.count("resumer, cut");
      }
    }));
    await target.rest(500);
  }
}
