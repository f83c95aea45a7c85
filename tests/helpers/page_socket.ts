import type { Page } from "playwright-core";

/** What becomes of an envelope of a page: it is passed on, or lost, or refused. */
export type Verdict = "pass" | "lose" | { readonly code: string; readonly message: string };

/** Stands between a page and its server, and decides about the messages that the page sends. */
export async function judgeMessages(
  page: Page,
  judge: (payload: Record<string, unknown>) => Verdict,
): Promise<void> {
  await page.routeWebSocket(/\/ws(\?|$)/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((frame) => {
      for (const line of String(frame).split("\n")) {
        const { type, room, payload } = JSON.parse(line);
        const verdict = type === "chat_message" ? judge(payload) : "pass";
        if (verdict === "pass") server.send(line);
        if (typeof verdict === "string") continue;
        const problem = { ...verdict, for: type, ref: payload.ref };
        socket.send(JSON.stringify({ type: "error", room, payload: problem }));
      }
    });
  });
}
