/**
 * One way to be in a room.
 *
 * @module
 */

import type { JoinedEnvelopeV2, JoinPayloadV2 } from "../protocol/mod.ts";
import type { EnvelopeOfRoom } from "./hub_envelope.ts";

/** What is done with a stay in a room: from the join that asks for it to its end. */
export interface RoomStay {
  /** Gives how the room is joined, now. */
  join(): JoinPayloadV2;
  /**
   * Called when the hub has let the member in.
   *
   * @param joined What the hub said.
   * @param stay Aborted when the stay ends.
   */
  joined(joined: JoinedEnvelopeV2["payload"], stay: AbortSignal): void;
  /**
   * Called with every other envelope.
   *
   * @param envelope The envelope.
   */
  take(envelope: EnvelopeOfRoom): void;
  /** Called where the hub does not know the place from which the room was to be resumed. */
  restart(): void;
  /** Called when the stay has ended. */
  lost(): void;
}
