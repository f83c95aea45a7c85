import { OPCODES } from "../../helpers/raw_socket.ts";
import { envelope, type Target } from "../target.ts";

/** Says more than is allowed until it is closed. */
export async function floods(target: Target): Promise<void> {
  const lines = Array.from({ length: 20 }, (_, i) => {
    return i % 2 === 0
      ? envelope("chat_message", { text: "flood" })
      : envelope("typing_status", { status: i % 4 === 1 });
  }).join("\n");
  await target.repeat("flood", { times: 4, pauseMs: 100 }, async () => {
    using socket = await target.enter("flood");
    const reading = socket.end();
    try {
      for (let i = 0; i < 100; i++) await socket.send(OPCODES.text, lines);
    } catch {
      // It was cut in the middle.
    }
    const { code } = await reading;
    if (code !== 4509 && code !== 4008 && code !== 0) target.surprise(`flood: ended with ${code}`);
  });
}
