import { frameOf, OPCODES } from "../../helpers/raw_socket.ts";
import type { Target } from "../target.ts";

/** Sends frames in which nothing is, many in a write. */
export async function blankFrames(target: Target): Promise<void> {
  const blanks = ["", "\n", "\n\n\n\n", "\n".repeat(10_000)];
  await target.repeat("blank frames", { times: 8, pauseMs: 20 }, async (index) => {
    using socket = await target.enter("blank");
    const one = frameOf(OPCODES.text, blanks[index % blanks.length]);
    const count = Math.max(1, Math.floor(60_000 / one.length));
    const bytes = new Uint8Array(count * one.length);
    for (let i = 0; i < count; i++) bytes.set(one, i * one.length);
    const reading = socket.end();
    try {
      while (!target.isOver) {
        await target.upload(bytes.length);
        await socket.write(bytes);
      }
    } finally {
      const { code } = await reading;
      if (![0, 1001, 1009, 4509].includes(code)) {
        target.surprise(`blank frames: ended with ${code}`);
      }
    }
  });
}
