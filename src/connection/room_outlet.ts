/**
 * What goes out on a connection of several rooms.
 *
 * @module
 */

import type { EnvelopeBatch, StatusChange } from "../hub/envelope_batch.ts";
import { encodeStatusesV2 } from "../hub/status_batch.ts";
import { encodeEnvelope, type ServerEnvelopeV2 } from "../protocol/mod.ts";
import type { HeldChange } from "./outbound_queue.ts";
import type { WebSocketLink } from "./websocket_link.ts";

/** UTF-16 code units of a frame from which on many do not get it at once. */
const LONG_FRAME = 2_048;

/** Writes envelopes to a connection, each behind what waits for its room. */
export class RoomOutlet {
  readonly #link: WebSocketLink;
  readonly #user: string;

  /**
   * @param link The socket.
   * @param user Whose connection it is.
   */
  constructor(link: WebSocketLink, user: string) {
    this.#link = link;
    this.#user = user;
  }

  /** Sends a batch of a room, or holds it back where the connection is behind. */
  sendBatch(room: string, batch: EnvelopeBatch): void {
    if (!this.#link.canSend) return;
    const text = batch.linesV2(this.#user);
    // Nothing is left of changes that cancel each other out.
    if (text === "") return;
    this.#write(room, text, batch.changes, batch.forMany && text.length > LONG_FRAME);
  }

  /** Sends what was held back. */
  release(changes: readonly HeldChange[]): void {
    for (const [room, ofRoom] of Map.groupBy(changes, ({ room }) => room)) {
      const held: readonly StatusChange[] = ofRoom;
      this.#link.writer.writeIn(room, encodeStatusesV2(room, held).join("\n"), false);
    }
  }

  /** Sends an envelope, so that a stay ends with `left`. */
  send(envelope: ServerEnvelopeV2): void {
    this.sendText("room" in envelope ? envelope.room ?? "" : "", encodeEnvelope(envelope));
  }

  /** Sends an envelope that is encoded already. */
  sendText(room: string, text: string): void {
    if (this.#link.canSend) this.#write(room, text, undefined, false);
  }

  #write(
    room: string,
    text: string,
    changes: EnvelopeBatch["changes"],
    isLong: boolean,
  ): void {
    const { writer } = this.#link;
    if (writer.queue.admits({ changes, length: text.length + 1 }, room)) {
      writer.writeIn(room, text, isLong);
    }
  }
}
