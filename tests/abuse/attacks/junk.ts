import { frameOf, OPCODES } from "../../helpers/raw_socket.ts";
import { envelope, pick, type Target } from "../target.ts";

/** Sends frames of bytes by chance, of which some are nearly right. */
export async function junk(target: Target): Promise<void> {
  await target.repeat("junk", { times: 4, pauseMs: 10 }, async () => {
    using socket = await target.enter(pick(target.plan.rooms), { protocol: "hubbub.v1" });
    for (let i = Math.random() * 20; i > 0; i--) await socket.write(randomFrame());
    if (Math.random() < 0.5) await socket.finish();
  });
}

/** Sends messages of many frames that are longer than any may be. */
export async function oversized(target: Target): Promise<void> {
  await target.repeat("oversized", { times: 2, pauseMs: 1_000 }, async () => {
    using socket = await target.enter("flood");
    const part = new Uint8Array(256 * 1024).fill(32);
    await socket.send(OPCODES.text, part, { fin: false });
    for (let i = 0; i < 16; i++) await socket.send(OPCODES.continuation, part, { fin: false });
    await socket.send(OPCODES.continuation);
    const { code } = await socket.end();
    // 4509 where more of the address waited than may.
    if (![1009, 4509, 0].includes(code)) target.surprise(`oversized: ended with ${code}`);
  });
}

function randomFrame(): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.floor(Math.random() * 200)));
  if (Math.random() < 0.3) return bytes;
  const isText = Math.random() < 0.7;
  const texts = [envelope("chat_message", { n: 1 }), "[".repeat(30_000), '{"type":'.repeat(5_000)];
  return frameOf(pick([1, 1, 1, 2, 8, 9, 10, 0, 3]), isText ? pick(texts) : bytes, {
    fin: Math.random() < 0.9,
    reserved: Math.random() < 0.05 ? 4 : 0,
  });
}
