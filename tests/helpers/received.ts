import type { ChatConnection, StoredMessage } from "@hubbub/hub/client";
import { within } from "./patience.ts";

/** Keeps what a connection hands on, from now on. */
export function received(chat: ChatConnection): StoredMessage[] {
  const messages: StoredMessage[] = [];
  chat.addEventListener("message", ({ detail }) => messages.push(detail));
  return messages;
}

/**
 * Waits until something holds, looking again after each event of a connection.
 *
 * @param chat The connection.
 * @param condition What is to hold.
 */
export async function until(chat: ChatConnection, condition: () => boolean): Promise<void> {
  const types = ["state", "message", "joined", "presence", "typing", "problem"] as const;
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => condition() && resolve();
  for (const type of types) chat.addEventListener(type, look);
  look();
  await within(promise, () => `${condition}, ${chat.state.status}`);
  for (const type of types) chat.removeEventListener(type, look);
}
