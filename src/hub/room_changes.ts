/**
 * What a room knows and does about changes of its messages.
 *
 * @module
 */

import type { ControlRecord } from "../store/change.ts";
import { ChangedMessages, type ChangedMessagesOptions } from "./changed_messages.ts";
import { Erasures, type ErasuresOptions } from "./erasures.ts";
import { PendingChanges, type PendingChangesOptions } from "./pending_changes.ts";
import { PendingControls, type PendingControlsOptions } from "./pending_controls.ts";
import { RecentChanges } from "./recent_changes.ts";
import { RoomSanctions, type RoomSanctionsOptions } from "./room_sanctions.ts";

/** How {@linkcode RoomChanges} behaves. */
export type RoomChangesOptions =
  & ChangedMessagesOptions
  & ErasuresOptions
  & PendingControlsOptions
  & Omit<RoomSanctionsOptions, "controls">
  & Omit<PendingChangesOptions, "messages" | "recent">;

/** The changes of a room: those on their way, the newest ones, and the messages that they are of. */
export class RoomChanges {
  /** Those on their way. */
  readonly pending: PendingChanges;
  /** The control records on their way. */
  readonly controls: PendingControls;
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
    const controls = this.controls = new PendingControls(options);
    this.sanctions = new RoomSanctions({ ...options, controls });
    this.parts = { changes, messages, erasures, pendingChanges: pending };
  }

  /**
   * Applies a control record, in the log's order. Never throws.
   *
   * @param control The record.
   * @returns Whether this isolate wrote it.
   */
  applyControl(control: ControlRecord): boolean {
    const settle = this.controls.take(control.id);
    this.sanctions.apply(control);
    // Behind those who have to leave.
    if (settle) queueMicrotask(settle);
    return settle !== undefined;
  }

  /** Gives up the room. */
  dismiss(): void {
    this.pending.dismiss();
    this.controls.dismiss();
    this.parts.erasures.stop();
  }
}
