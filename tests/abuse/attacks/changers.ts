import { ORIGIN } from "../../../src/store/cursor.ts";
import type { Target } from "../target.ts";
import { longest } from "./long_messages.ts";

/** Rooms whose messages are changed again and again. */
const ROOMS = 4;

/** Sends a request as some user; returns the body of an answer that is 2xx. */
async function ask(
  target: Target,
  method: string,
  path: string,
  body?: Record<string, unknown>,
): Promise<Record<string, unknown> | undefined> {
  const { query, headers } = target.credentials();
  const url = `${target.url}/rooms/${path}${path.includes("?") ? "&" : "?"}${query}`;
  const signal = AbortSignal.timeout(10_000);
  const text = body && JSON.stringify(body);
  const response = await fetch(url, { method, headers, body: text, signal });
  target.count(`${method} got ${response.status}`);
  if (response.status === 429) await target.rest(100);
  if (response.ok) return await response.json();
  await response.body?.cancel();
  return undefined;
}

/**
 * Edits, deletes and reacts as fast as there may be, and reads pages from the beginning, with all
 * that was changed in them: what a change leaves behind is read by everybody who comes later.
 */
export async function changers(target: Target): Promise<void> {
  const cursors: string[] = [];
  await Promise.all([
    target.repeat("change", { times: 20, pauseMs: 10 }, async (index) => {
      const user = `mallory ${index}`;
      const room = `changed-${index % ROOMS}`;
      const path = `${room}/messages`;
      const message = await ask(target, "POST", path, { text: longest(), user });
      if (!message) return;
      const cursor = String(message.cursor);
      cursors.push(`${room}/messages/${cursor}`);
      for (let edit = 0; edit < 5; edit++) {
        await ask(target, "PATCH", `${path}/${cursor}`, { text: longest(), user });
        const emoji = `emoji=${edit}`;
        await ask(target, edit % 2 ? "PUT" : "DELETE", `${path}/${cursor}/reactions?${emoji}`);
      }
      if (index % 2 === 0) await ask(target, "DELETE", `${path}/${cursor}`);
    }),
    target.repeat("page of changes", { times: 20, pauseMs: 0 }, async (index) => {
      await ask(target, "GET", `changed-${index % ROOMS}/messages?limit=100&after=${ORIGIN}`);
      const cursor = cursors[Math.floor(Math.random() * cursors.length)];
      if (cursor !== undefined) await ask(target, "GET", cursor);
    }),
  ]);
}
