/**
 * What is spoken over a connection, as the connection sees it.
 *
 * @module
 */

import type { ProcessorAccount } from "../access/processor_shares.ts";
import type { HeldChange } from "./outbound_queue.ts";
import type { ConnectionServices } from "./services.ts";
import type { TokenRefresh } from "./token_refresh.ts";

/**
 * Where a connection stands: the handshake is answered, messages go both ways, this side has closed
 * it, or it is gone. A peer that does not read stays in `closing` for as long as it likes.
 */
export type ConnectionStatus = "connecting" | "open" | "closing" | "closed";

/** What every connection has, whatever is spoken over it. */
export interface LinkOptions {
  /** The services of the server. */
  readonly services: ConnectionServices;
  /** Whose connection it is. */
  readonly user: string;
  /** Whose share of the budget its bytes count against. @default {undefined} its own */
  readonly address?: string;
  /** The processor's time that is spent on its address. @default {undefined} none is counted */
  readonly processor?: ProcessorAccount;
  /** Called once when it is closed from here; its peer may stay for long. */
  readonly onClosing?: () => void;
  /** Called once when the connection has ended. */
  readonly onEnd?: () => void;
}

/** What is spoken over a {@linkcode WebSocketLink}. */
export interface LinkHandler {
  /** The one room that it is for; undefined for several. */
  readonly room?: string;
  /** How long it may stay. Must be there before the link is made. */
  readonly lifetime: Pick<TokenRefresh, "expire" | "expiresAt">;
  /** Begins: the peer's end is open. */
  opened(): void;
  /** Receives the data of a message. */
  receive(data: unknown): void;
  /** Sends changes that were held back. */
  release(changes: readonly HeldChange[]): void;
  /** Leaves the room or rooms, without a word. */
  leave(): void;
  /** Leaves the room or rooms and closes the link. */
  disconnect(code: number, reason: string): void;
  /** Asks the peer to come back later. @default {undefined} the hub does */
  sendAway?(members: number): void;
}
