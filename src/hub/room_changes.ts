/**
 * What a room knows and does about changes of its messages.
 *
 * @module
 */

import { type ControlRecord, deletesRoom, erasedUserOf } from "../store/change.ts";
import { ChangeRepeats, type ChangeRepeatsOptions } from "./change_repeats.ts";
import { type ChangeSubmission, refusalOfChange } from "./change_rules.ts";
import { ChangedMessages, type ChangedMessagesOptions } from "./changed_messages.ts";
import { Erasures, type ErasuresOptions } from "./erasures.ts";
import { PendingChanges } from "./pending_changes.ts";
import type { PendingChangesOptions } from "./pending_changes_options.ts";
import { PendingControls, type PendingControlsOptions } from "./pending_controls.ts";
import type { ChangeResult } from "./publish_result.ts";
import { RecentChanges } from "./recent_changes.ts";
import type { RecentMessages } from "./recent_messages.ts";
import { RoomSanctions, type RoomSanctionsOptions } from "./room_sanctions.ts";

/** How {@linkcode RoomChanges} behaves. */
export type RoomChangesOptions =
  & Omit<ChangedMessagesOptions, "erased">
  & Omit<ChangeRepeatsOptions, "recent">
  & ErasuresOptions
  & PendingControlsOptions
  & Omit<RoomSanctionsOptions, "controls">
  & Omit<PendingChangesOptions, "messages" | "repeats">
  & {
    /** Called where the room was deleted: not within a delivery, and before who did it is told. */
    readonly onDeleted: (room: string) => void;
  };

/** The changes of a room: those on their way, the newest ones, and the messages that they are of. */
export class RoomChanges {
  /** Those on their way. */
  readonly pending: PendingChanges;
  readonly #onDeleted: () => void;
  readonly #recent: RecentMessages;
  #isDeleted = false;
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
    /** By user that was erased, the place up to which. */
    readonly erased: Map<string, string>;
  };

  /** @param options The room. */
  constructor(options: RoomChangesOptions) {
    this.#onDeleted = () => options.onDeleted(options.room);
    const changes = new RecentChanges();
    const erased = new Map<string, string>();
    const messages = new ChangedMessages({ ...options, erased });
    const erasures = new Erasures(options);
    const repeats = new ChangeRepeats({ ...options, recent: changes });
    const pending = new PendingChanges({ ...options, repeats, messages });
    this.pending = pending;
    const controls = this.controls = new PendingControls(options);
    this.sanctions = new RoomSanctions({ ...options, controls });
    this.parts = { changes, messages, erasures, pendingChanges: pending, erased };
    this.#recent = options.recent;
  }

  /**
   * Applies a control record, in the log's order. Never throws.
   *
   * @param control The record.
   * @returns Whether this isolate wrote it.
   */
  applyControl(control: ControlRecord): boolean {
    const settle = this.controls.take(control.id);
    if (!this.#isDeleted) this.#apply(control);
    // Behind those who have to leave.
    if (settle) queueMicrotask(settle);
    return settle !== undefined;
  }

  /**
   * Makes a change for a user who need not be in the room, which is open.
   *
   * @param submission The change.
   * @returns The result.
   */
  async make(submission: Omit<ChangeSubmission, "answer">): Promise<ChangeResult> {
    const { user, role, draft, isPast } = submission;
    const check = () =>
      isPast ? undefined : refusalOfChange(draft, this.sanctions.refusalOf(user, role));
    const problem = check();
    if (problem) return { status: "refused", problem: { ...problem, ref: draft.ref } };
    return await this.pending.make({ check, ...submission });
  }

  /** Gives up the room. */
  dismiss(): void {
    this.pending.dismiss();
    this.controls.dismiss();
    this.parts.erasures.stop();
  }
  #apply(control: ControlRecord): void {
    const user = erasedUserOf(control);
    if (user !== undefined) return this.#erase(user, control.cursor);
    if (!deletesRoom(control)) return this.sanctions.apply(control);
    // What follows belongs to a new room of that name.
    this.#isDeleted = true;
    queueMicrotask(() => {
      if (!this.controls.isDismissed) this.#onDeleted();
    });
  }

  #erase(user: string, cursor: string): void {
    const { changes, erased, messages } = this.parts;
    erased.set(user, cursor);
    this.#recent.erase(erased);
    messages.forget();
    changes.forget(cursor);
  }
}
