import type { Page, WebSocketRoute } from "playwright-core";
import type { MessageChange } from "@hubbub/hub/protocol";

const KINDS = { edit_message: "edit", delete_message: "delete", react: "reaction" } as const;

/**
 * Answers the changes that pages make, in their server's stead: what a page shows of a change does not
 * depend on where it is stored.
 */
export class PageChanges {
  readonly #sockets = new Set<WebSocketRoute>();
  /** The last place that a page was told of. */
  #last = "";
  #count = 0;
  /** What the pages sent. */
  readonly sent: { type: string; payload: Record<string, unknown> }[] = [];
  /** Refuses a change; undefined lets it through. */
  refuse: (type: string) => { code: string; message: string } | undefined = () => undefined;

  /** Stands between a page and its server from now on. */
  async attach(page: Page, user: string): Promise<void> {
    await page.routeWebSocket(/\/ws(\?|$)/, (socket) => {
      const server = socket.connectToServer();
      this.#sockets.add(socket);
      server.onMessage((frame) => {
        for (const [, cursor] of String(frame).matchAll(/"cursor":"(\w+)"/g)) {
          if (cursor > this.#last) this.#last = cursor;
        }
        socket.send(frame);
      });
      socket.onMessage((frame) => {
        for (const line of String(frame).split("\n")) {
          const { type, room, payload } = JSON.parse(line);
          const kind = KINDS[type as keyof typeof KINDS];
          if (kind === undefined) {
            server.send(line);
            continue;
          }
          this.sent.push({ type, payload });
          const refusal = this.refuse(type);
          if (refusal) {
            const problem = { ...refusal, for: type, ref: payload.ref };
            socket.send(JSON.stringify({ type: "error", room, payload: problem }));
            continue;
          }
          const { cursor: message, ...rest } = payload;
          this.change({ kind, message, user, ...rest });
        }
      });
    });
  }

  /** Tells all pages of a change. */
  change(change: Omit<MessageChange, "cursor" | "at">): void {
    // Behind the last place, in its commit.
    const index = (++this.#count).toString(36).padStart(4, "0");
    const cursor = `${this.#last.slice(0, 12)}z${index.slice(1)}${this.#last.slice(16)}`;
    const payload = { cursor, at: Date.now(), ...change };
    const text = JSON.stringify({ type: "message_changed", room: "lobby", payload });
    for (const socket of this.#sockets) socket.send(text);
  }
}
