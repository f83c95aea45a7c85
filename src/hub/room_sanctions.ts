/**
 * The sanctions of a room in memory: imposed by control records in its log, and applied as those are
 * delivered.
 *
 * @module
 */

import type { Problem, Role, Sanction, SanctionBody } from "../protocol/mod.ts";
import { type ControlRecord, encodeChange, type StoredControl, writesOf } from "../store/change.ts";
import { cursorAt, tagOf } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import { changeRecord } from "../store/folded_record.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Guard } from "../telemetry/guard.ts";
import { NOBODY, READS_ONLY } from "./member_problems.ts";
import type { AppendOwner, CommitAppend } from "./room_append.ts";
import type { RoomHold, RoomHolds } from "./room_holds.ts";
import { recordOf, Sanctions, type StoredSanction } from "./sanctions.ts";
import type { RoomSubscription } from "./subscription.ts";

/** How {@linkcode RoomSanctions} behaves. */
export interface RoomSanctionsOptions {
  /** The name of the room. */
  readonly room: string;
  /** The rooms' logs. */
  readonly log: Pick<RoomLog, "controls">;
  /** The room's way into the group commit. */
  readonly commits: { add(append: CommitAppend): boolean };
  /** Keeps the room while a sanction is on its way. */
  readonly holds: RoomHolds;
  /** Runs callbacks. */
  readonly guard: Guard;
  /** Creates the ULID of a record. */
  readonly createId: () => string;
  /** Tells the time, ISO 8601. */
  readonly timestamp: () => string;
  /** Whether the hub accepts nothing more. */
  readonly isDraining: () => boolean;
  /** All subscriptions, of those that wait for their history too. */
  readonly subscriptions: () => readonly RoomSubscription[];
}

/** Who says so, and who is told what came of it. */
interface ControlAppend extends CommitAppend {
  readonly control: StoredControl;
  readonly answer: (problem?: Problem) => void;
}

/** The sanctions of a room: who may be there, and who may send. */
export class RoomSanctions implements AppendOwner {
  readonly #options: RoomSanctionsOptions;
  readonly #sanctions = new Sanctions();
  readonly #hold: RoomHold;
  readonly #pending = new Map<string, ControlAppend>();
  #isDismissed = false;

  /** @param options The room. */
  constructor(options: RoomSanctionsOptions) {
    this.#options = options;
    this.#hold = options.holds.create();
  }

  get isDismissed(): boolean {
    return this.#isDismissed;
  }

  /** Gives up the room: what is on its way is settled without it. */
  dismiss(): void {
    this.#isDismissed = true;
  }

  /**
   * Reads what holds: before anybody is let in.
   *
   * @throws Whatever the store rejects with.
   */
  async load(): Promise<void> {
    const { log, room } = this.#options;
    for (const { name, value } of await log.controls(room)) {
      this.#sanctions.apply({ name: name.join(" "), value: JSON.parse(value) });
    }
  }

  /**
   * Tells what keeps a user from being in the room.
   *
   * @param user The user.
   * @param role The user's role.
   * @returns `banned`, or undefined.
   */
  banOf(user: string, role: Role): Problem | undefined {
    return this.#sanctions.banOf(user, role);
  }

  /**
   * Tells what keeps a user from sending.
   *
   * @param user The user; undefined for who only reads.
   * @param role The user's role.
   * @returns What the user is told, or undefined.
   */
  refusalOf(user: string | undefined, role: Role): Problem | undefined {
    if (user === undefined) return NOBODY;
    return role === "reader" ? READS_ONLY : this.#sanctions.problemOf(user, role);
  }

  /** The sanctions that hold. */
  list(): Sanction[] {
    return this.#sanctions.list();
  }

  /**
   * Imposes a sanction.
   *
   * @param body What is done to whom.
   * @param by The moderator who says so; undefined for an operator.
   * @returns Settles when it holds on this isolate; with what is wrong where it does not.
   */
  impose(body: SanctionBody, by: string | undefined): Promise<Problem | undefined> {
    const { name, value } = recordOf(body, by, Date.parse(this.#options.timestamp()));
    return this.#append(name, value, by);
  }

  /**
   * Lifts the sanctions of a user.
   *
   * @param user The user.
   * @param by The moderator who says so; undefined for an operator.
   * @returns Settles when that holds on this isolate; with what is wrong where it does not.
   */
  async lift(user: string, by: string | undefined): Promise<Problem | undefined> {
    const found = this.list().filter((sanction) => sanction.user === user);
    for (const sanction of found) {
      if (by !== undefined && sanction.by === undefined) return OF_OPERATOR;
    }
    for (const { kind } of found) {
      const problem = await this.#append(`${kind}:${user}`, null, by);
      if (problem) return problem;
    }
    return found.length === 0 ? NONE : undefined;
  }

  /**
   * Applies a control record, in the log's order. Never throws.
   *
   * @param record The record.
   * @returns Whether this isolate wrote it.
   */
  apply({ id, name, value }: ControlRecord): boolean {
    const putOut = this.#sanctions.apply({ name, value: value as StoredSanction | null });
    const append = this.#take(id);
    // Not within the delivery: leaving tells the others.
    queueMicrotask(() => {
      if (putOut) {
        for (const subscription of this.#options.subscriptions()) {
          if (subscription.user !== putOut.user) continue;
          if (subscription.role === "moderator" && !putOut.isByOperator) continue;
          subscription.putOut(putOut.code, putOut.message);
        }
      }
      append?.answer();
    });
    return append !== undefined;
  }

  reject(appends: readonly CommitAppend[]): void {
    for (const { id } of appends) {
      this.#take(id)?.answer({ code: "not_stored", message: "The sanction could not be stored" });
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

  #append(
    name: string,
    value: StoredSanction | null,
    by: string | undefined,
  ): Promise<Problem | undefined> {
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
        line: encodeChange(control),
        writes: writesOf(control),
        pending: this,
        control,
        answer: (problem) => void guard.run("answer_failed", () => resolve(problem)),
      };
      if (!commits.add(append)) {
        return resolve({ code: "not_stored", message: "Too many messages wait to be stored" });
      }
      this.#pending.set(control.id, append);
      this.#hold.set(true);
    });
  }

  #take(id: string): ControlAppend | undefined {
    const append = this.#pending.get(id);
    this.#pending.delete(id);
    this.#hold.set(this.#pending.size > 0);
    return append;
  }
}

const NONE: Problem = { code: "not_found", message: "No sanction of this user holds" };
const OF_OPERATOR: Problem = { code: "forbidden", message: "An operator has said so" };
