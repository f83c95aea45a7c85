import { OPCODES } from "../../helpers/raw_socket.ts";
import { envelope, pick, type Target } from "../target.ts";

/** Comes, begins to type, and goes without a word, in the rooms of others. */
export async function churn(target: Target): Promise<void> {
  await target.repeat("churn", { times: 4, pauseMs: 10 }, async () => {
    using socket = await target.enter(pick(target.plan.rooms), { query: "history=100" });
    await socket.until("joined");
    await socket.send(OPCODES.text, envelope("typing_status", { status: true }));
  });
}
