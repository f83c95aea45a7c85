/**
 * The control records of a room on their way into the log.
 *
 * @module
 */

import type { JsonObject, Problem } from "../protocol/mod.ts";
import { changeLine, type StoredControl, writesOf } from "../store/change.ts";
import { cursorAt, tagOf } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import { changeRecord } from "../store/folded_record.ts";
import type { Guard } from "../telemetry/guard.ts";
import { type AppendOwner, type CommitAppend, settleCommitted } from "./room_append.ts";
import type { RoomHold, RoomHolds } from "./room_holds.ts";

/** How {@linkcode PendingControls} behaves. */
export interface PendingControlsOptions {
  /** The name of the room. */
  readonly room: string;
  /** The room's way into the group commit. */
  readonly commits: { add(append: CommitAppend): boolean };
  /** Keeps the room while a record is on its way. */
  readonly holds: RoomHolds;
  /** Runs callbacks. */
  readonly guard: Guard;
  /** Creates the ULID of a record. */
  readonly createId: () => string;
  /** Tells the time, ISO 8601. */
  readonly timestamp: () => string;
  /** Whether the hub accepts nothing more. */
  readonly isDraining: () => boolean;
}

/** What a control record says. */
export interface ControlDraft {
  /** The name of the state that it sets. */
  readonly name: string;
  /** The value; null takes the state away. */
  readonly value: JsonObject | null;
  /** The user who says so; undefined for an operator. */
  readonly by?: string;
}

/** A record, and who is told what came of it. */
interface ControlAppend extends CommitAppend {
  readonly control: StoredControl;
  readonly answer: (problem?: Problem) => void;
}

/** The control records of a room that are on their way into the log. */
export class PendingControls implements AppendOwner {
  readonly #options: PendingControlsOptions;
  readonly #hold: RoomHold;
  readonly #byId = new Map<string, ControlAppend>();
  #isDismissed = false;

  /** @param options The room. */
  constructor(options: PendingControlsOptions) {
    this.#options = options;
    this.#hold = options.holds.create();
  }

  get isDismissed(): boolean {
    return this.#isDismissed;
  }

  /** Gives up the room: what is on its way is settled without it. */
  dismiss(): void {
    this.#isDismissed = true;
    settleCommitted(this.#byId.values());
  }

  /**
   * Appends a record.
   *
   * @param draft What it says.
   * @returns Settles when it holds on this isolate; with what is wrong where it does not.
   */
  append({ name, value, by }: ControlDraft): Promise<Problem | undefined> {
    const { commits, createId, guard, isDraining, room, timestamp } = this.#options;
    if (isDraining()) {
      return Promise.resolve({ code: "draining", message: "The server is stopping" });
    }
    const control: StoredControl = {
      id: createId(),
      user: by ?? "",
      at: Date.parse(timestamp()),
      kind: "control",
      name,
      value: value && { ...value },
    };
    return new Promise((resolve) => {
      const append: ControlAppend = {
        room,
        id: control.id,
        line: changeLine(control),
        writes: writesOf(control),
        pending: this,
        control,
        answer: (problem) => void guard.run("answer_failed", () => resolve(problem)),
      };
      if (!commits.add(append)) {
        return resolve({ code: "not_stored", message: "Too many messages wait to be stored" });
      }
      this.#byId.set(control.id, append);
      this.#hold.set(true);
    });
  }

  /**
   * Removes a record that is in the log now.
   *
   * @param id Its ULID.
   * @returns Tells who waits for it; undefined where it was another isolate's.
   */
  take(id: string): (() => void) | undefined {
    const append = this.#take(id);
    return append && (() => append.answer());
  }

  reject(appends: readonly CommitAppend[]): void {
    for (const { id } of appends) {
      this.#take(id)?.answer({ code: "not_stored", message: "It could not be stored" });
    }
  }

  settleAlone({ id }: CommitAppend): void {
    this.#take(id)?.answer();
  }

  recordOf(
    append: CommitAppend,
    { commit, index }: { readonly commit: string; readonly index: number },
  ): LogRecord {
    const { control } = append as ControlAppend;
    return changeRecord({ ...control, cursor: cursorAt(commit, index, tagOf(control.id)) });
  }

  #take(id: string): ControlAppend | undefined {
    const append = this.#byId.get(id);
    this.#byId.delete(id);
    this.#hold.set(this.#byId.size > 0);
    return append;
  }
}
