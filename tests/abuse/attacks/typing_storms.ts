import { OPCODES } from "../../helpers/raw_socket.ts";
import { envelope, type Target } from "../target.ts";

/** Sockets that toggle in one room. */
const SOCKETS = 200;
/** Milliseconds between two signs: just below the rate of a connection. */
const PAUSE_MS = 105;

/** Many sockets in one room that begin and stop typing as fast as each of them may. */
export async function typingStorms(target: Target): Promise<void> {
  await target.repeat("typist", { times: SOCKETS, pauseMs: 500 }, async (index) => {
    using socket = await target.enter("storm", { user: `typist ${index}`, query: "history=0" });
    const reading = socket.end();
    for (let status = true; !target.isOver; status = !status) {
      await socket.send(OPCODES.text, envelope("typing_status", { status }));
      await target.rest(PAUSE_MS);
    }
    await socket.send(OPCODES.close);
    await reading;
  });
}
