/**
 * State of the connection, in a component.
 *
 * @module
 */

// @ts-types="npm:@types/react@^19"
import { useSyncExternalStore } from "npm:react@^19";
import type { ClientSnapshot } from "../client/mod.ts";
import { useChatClient } from "./chat_context.ts";

/** What is shown where a page is made on a server. */
const AT_FIRST: ClientSnapshot = Object.freeze({
  status: "connecting",
  reason: undefined,
  user: "",
});

/**
 * Gives how far the connection is, and who the user is.
 *
 * @returns The state of now: `{status, reason, user}`.
 * @throws {Error} Where there is no {@linkcode ChatProvider} above.
 *
 * @example
 * ```ts
 * import { useConnection } from "@hubbub/hub/react";
 * import { createElement } from "react";
 *
 * export function Status() {
 *   const { status, reason } = useConnection();
 *   return createElement("p", {}, status === "waiting" ? `Not connected: ${reason}` : status);
 * }
 * ```
 */
export function useConnection(): ClientSnapshot {
  const client = useChatClient();
  return useSyncExternalStore(client.subscribe, () => client.snapshot, () => AT_FIRST);
}
