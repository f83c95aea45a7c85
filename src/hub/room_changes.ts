/**
 * What a room knows and does about changes of its messages.
 *
 * @module
 */

import { ChangedMessages, type ChangedMessagesOptions } from "./changed_messages.ts";
import { Erasures, type ErasuresOptions } from "./erasures.ts";
import { PendingChanges, type PendingChangesOptions } from "./pending_changes.ts";
import { RecentChanges } from "./recent_changes.ts";
import { RoomSanctions, type RoomSanctionsOptions } from "./room_sanctions.ts";

/** How {@linkcode RoomChanges} behaves. */
export type RoomChangesOptions =
  & ChangedMessagesOptions
  & ErasuresOptions
  & RoomSanctionsOptions
  & Omit<PendingChangesOptions, "messages" | "recent">;

/** The changes of a room: those on their way, the newest ones, and the messages that they are of. */
export class RoomChanges {
  /** Those on their way. */
  readonly pending: PendingChanges;
  /** The sanctions that control records have imposed. */
  readonly sanctions: RoomSanctions;
  /** What other parts of the room need. */
  readonly parts: {
    readonly changes: RecentChanges;
    readonly messages: ChangedMessages;
    readonly erasures: Erasures;
    readonly pendingChanges: PendingChanges;
  };

  /** @param options The room. */
  constructor(options: RoomChangesOptions) {
    const changes = new RecentChanges();
    const messages = new ChangedMessages(options);
    const erasures = new Erasures(options);
    const pending = new PendingChanges({ ...options, recent: changes, messages });
    this.pending = pending;
    this.sanctions = new RoomSanctions(options);
    this.parts = { changes, messages, erasures, pendingChanges: pending };
  }

  /** Gives up the room. */
  dismiss(): void {
    this.pending.dismiss();
    this.sanctions.dismiss();
    this.parts.erasures.stop();
  }
}
