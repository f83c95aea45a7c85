/**
 * What the page of a room needs.
 *
 * @module
 */

import type { ChatClient } from "../client/mod.ts";
import type { Memory } from "./memory.ts";
import type { Site } from "./site.ts";

/** The options of a `RoomView`. */
export interface RoomViewOptions {
  /** The server. */
  readonly site: Site;
  /** The connection. */
  readonly client: ChatClient;
  /** The room's name. */
  readonly room: string;
  /** The reader's name; with a token, the server knows it. */
  readonly user: string;
  /** What outlasts the page. */
  readonly memory: Memory;
  /** Gives how far the reader has read, as far as that is known. */
  readonly read: () => string | undefined;
  /** A message to open the room at, where the address names one. */
  readonly at: string | undefined;
  /** Called with the last message that the reader has seen, each time there is another one. */
  readonly onRead: (cursor: string) => void;
}
