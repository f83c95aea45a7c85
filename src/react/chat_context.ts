/**
 * The client that components use.
 *
 * @module
 */

// @ts-types="npm:@types/react@^19"
import { createContext, createElement, useContext } from "npm:react@^19";
// @ts-types="npm:@types/react@^19"
import type { Context, ReactElement, ReactNode } from "npm:react@^19";
import type { ChatClient } from "../client/mod.ts";

/** Properties of {@linkcode ChatProvider}. */
export interface ChatProviderProps {
  /**
   * The client, which belongs to its maker: it is neither connected nor closed here. Make it
   * outside of components, or in an effect, not while rendering.
   */
  readonly client: ChatClient;
  /** The components that use it. */
  readonly children?: ReactNode;
}

const ChatContext: Context<ChatClient | undefined> = createContext<ChatClient | undefined>(
  undefined,
);

/**
 * Gives the components below it a client: all hooks of this module use it.
 *
 * @param props The client, and the components.
 * @returns The components.
 *
 * @example
 * ```ts
 * import { createClient } from "@hubbub/hub/client";
 * import { ChatProvider, useConnection } from "@hubbub/hub/react";
 * import { createElement } from "react";
 * import { renderToString } from "react-dom/server";
 *
 * const Status = () => createElement("p", {}, useConnection().status);
 * const client = createClient("http://localhost:8000", { user: "ann" });
 * console.log(renderToString(createElement(ChatProvider, { client }, createElement(Status))));
 * client.close(); // <p>connecting</p>
 * ```
 */
export function ChatProvider({ client, children }: ChatProviderProps): ReactElement {
  return createElement(ChatContext.Provider, { value: client }, children);
}

/**
 * Gives the client of the {@linkcode ChatProvider} above.
 *
 * @returns The client.
 * @throws {Error} Where there is no provider above.
 *
 * @example
 * ```ts
 * import { useChatClient } from "@hubbub/hub/react";
 * import { createElement } from "react";
 *
 * export function Reconnect() {
 *   const client = useChatClient();
 *   return createElement("button", { onClick: () => client.reconnect() }, "Try now");
 * }
 * ```
 */
export function useChatClient(): ChatClient {
  const client = useContext(ChatContext);
  if (!client) throw new Error("There is no ChatProvider above this component");
  return client;
}
