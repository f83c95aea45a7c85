/**
 * Events of a room.
 *
 * @module
 */

import type { JoinedEnvelopeV2, PresenceEnvelopeV2 } from "../protocol/mod.ts";
import type { MessageChange, TypingStatusEnvelopeV2 } from "../protocol/mod.ts";
import type { ChatError } from "./chat_error.ts";
import type { StoredMessage } from "./room_state.ts";

/** What is called with the events of a room, in their order; snapshots show where they led to. */
export interface RoomObserver {
  /** Called with each message of the log once, in its order. */
  readonly onMessage?: (message: StoredMessage) => void;
  /**
   * Called with each change of a message once, in the log's order, and the message as it is then;
   * undefined where it is not kept.
   */
  readonly onMessageChange?: (change: MessageChange, message: StoredMessage | undefined) => void;
  /** Called when everything that was missed was handed on; then what is live is. */
  readonly onArrive?: (joined: JoinedEnvelopeV2["payload"]) => void;
  /** Called when users came or went. */
  readonly onPresence?: (presence: PresenceEnvelopeV2["payload"]) => void;
  /** Called when another user began or stopped typing. */
  readonly onTyping?: (typing: TypingStatusEnvelopeV2["payload"]) => void;
  /** Called when the users, or those who type, are others than before. */
  readonly onUsers?: () => void;
  /** Called when the status may have changed. */
  readonly onStatus?: () => void;
  /** Called when the hub wants no further try. */
  readonly onClosed?: (error: ChatError) => void;
}
