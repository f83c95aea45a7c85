/**
 * Stay in a room that is in a list alone.
 *
 * @module
 */

import type { JoinedEnvelopeV2, JoinPayloadV2 } from "../protocol/mod.ts";
import type { EnvelopeOfRoom } from "./hub_envelope.ts";
import type { RoomReading } from "./room_reading.ts";
import { storedMessage } from "./room_state.ts";
import type { RoomStay } from "./room_stay.ts";

/** How {@linkcode WatchStay} behaves. */
export interface WatchStayOptions {
  /** How far the user has read. */
  readonly reading: RoomReading;
  /** Gives the user's name. */
  readonly user: () => string;
  /** Called when the hub has let the member in. */
  readonly onArrive: () => void;
}

/**
 * Stay of somebody who is not shown as here: it brings what a list of rooms shows, the newest message
 * and how many are unread, and keeps no other message.
 */
export class WatchStay implements RoomStay {
  readonly #options: WatchStayOptions;

  /** @param options The room. */
  constructor(options: WatchStayOptions) {
    this.#options = options;
  }

  join(): JoinPayloadV2 {
    const { unread } = this.#options.reading;
    const after = unread.head || undefined;
    if (after === undefined) unread.begin();
    // The newest message, where it cannot be resumed.
    return { after, history: 1, presence: false };
  }

  joined(joined: JoinedEnvelopeV2["payload"]): void {
    const { reading, onArrive } = this.#options;
    // What was missed is counted at the hub, however much it is.
    if (!joined.recovered) reading.unread.begin();
    reading.arrive(joined, true);
    onArrive();
  }

  take(envelope: EnvelopeOfRoom): void {
    const { reading, user } = this.#options;
    switch (envelope.type) {
      case "chat_message":
        return reading.unread.took(storedMessage(envelope.payload, user()));
      case "message_changed":
        return reading.unread.changed(envelope.payload);
      case "user_erased":
        return reading.unread.erased(envelope.payload.user);
      case "read":
        return reading.moved(envelope.payload);
      case "error":
        if (envelope.payload.for === "read") reading.refused(envelope.payload);
    }
  }

  restart(): void {
    this.#options.reading.unread.begin();
  }

  lost(): void {
    this.#options.reading.lost();
  }
}
