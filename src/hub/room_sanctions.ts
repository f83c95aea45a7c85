/**
 * The sanctions of a room in memory: imposed by control records in its log, and applied as those are
 * delivered.
 *
 * @module
 */

import type { Presence } from "../cluster/presence.ts";
import type { Problem, Role, Sanction, SanctionBody } from "../protocol/mod.ts";
import type { ControlRecord } from "../store/change.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Everywhere } from "./everywhere.ts";
import { NOBODY, READS_ONLY } from "./member_problems.ts";
import type { PendingControls } from "./pending_controls.ts";
import {
  loadSanctions,
  type PutOut,
  recordOf,
  Sanctions,
  type StoredSanction,
} from "./sanctions.ts";
import type { RoomSubscription } from "./subscription.ts";

/** How {@linkcode RoomSanctions} behaves. */
export interface RoomSanctionsOptions {
  /** The name of the room. */
  readonly room: string;
  /** The rooms' logs. */
  readonly log: Pick<RoomLog, "controls">;
  /** The control records on their way. */
  readonly controls: PendingControls;
  /** What holds in all rooms. @default {undefined} these are those sanctions */
  readonly everywhere?: Pick<Everywhere, "banOf" | "problemOf">;
  /** Who is in the room, on all isolates. */
  readonly presence: Pick<Presence, "isModerator" | "open">;
  /** Tells the time, ISO 8601. */
  readonly timestamp: () => string;
  /** All subscriptions, of those that wait for their history too. */
  readonly subscriptions: () => readonly RoomSubscription[];
}

/** The sanctions of a room: who may be there, and who may send. */
export class RoomSanctions {
  readonly #options: RoomSanctionsOptions;
  readonly #sanctions = new Sanctions();
  /** Those who have to leave, or to stop typing. */
  readonly #leaving: PutOut[] = [];

  /** @param options The room. */
  constructor(options: RoomSanctionsOptions) {
    this.#options = options;
  }

  /**
   * Reads what holds: before anybody is let in.
   *
   * @throws Whatever the store rejects with.
   */
  async load(): Promise<void> {
    const { log, room } = this.#options;
    await loadSanctions(log, room, this.#sanctions);
  }

  /**
   * Tells what keeps a user from being in the room.
   *
   * @param user The user.
   * @param role The user's role.
   * @returns `banned`, or undefined.
   */
  banOf(user: string, role: Role): Problem | undefined {
    return this.#sanctions.banOf(user, role) ?? this.#options.everywhere?.banOf(user, role);
  }

  /**
   * Tells what keeps a user from sending, whatever the role lets it do.
   *
   * @param user The user.
   * @param role The user's role.
   * @returns `banned` or `muted`, or undefined.
   */
  problemOf(user: string, role: Role): Problem | undefined {
    return this.#sanctions.problemOf(user, role) ??
      this.#options.everywhere?.problemOf(user, role);
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
    return role === "reader" ? READS_ONLY : this.problemOf(user, role);
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
  async impose(body: SanctionBody, by: string | undefined): Promise<Problem | undefined> {
    const { presence, room, timestamp } = this.#options;
    if (by !== undefined) {
      // The same answer on every isolate: who is shown here is known to all of them.
      await presence.open(room);
      if (presence.isModerator(room, body.user)) return OF_MODERATOR;
    }
    const isOfOperator = by !== undefined && this.list().some((sanction) => {
      return sanction.user === body.user && sanction.kind === body.kind &&
        sanction.by === undefined;
    });
    // It would take its place.
    if (isOfOperator) return OF_OPERATOR;
    const { name, value } = recordOf(body, by, Date.parse(timestamp()));
    return await this.#options.controls.append({ name, value: { ...value }, by });
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
      const problem = await this.#options.controls.append({
        name: `${kind}:${user}`,
        value: null,
        by,
      });
      if (problem) return problem;
    }
    return found.length === 0 ? NONE : undefined;
  }

  /**
   * Applies a control record, in the log's order. Never throws.
   *
   * @param record The record.
   */
  apply({ name, value }: ControlRecord): void {
    const putOut = this.#sanctions.apply({ name, value: value as StoredSanction | null });
    if (putOut) this.#leaving.push(putOut);
  }

  /** Puts out those whom control records concern, once what stands before was sent. Never throws. */
  putOut(): void {
    // Most of what is delivered are messages.
    if (this.#leaving.length === 0) return;
    for (const { user, isByOperator, code, message } of this.#leaving.splice(0)) {
      for (const subscription of this.#options.subscriptions()) {
        if (subscription.account !== user) continue;
        if (subscription.accountRole === "moderator" && !isByOperator) continue;
        if (code === "muted") subscription.stopTyping();
        else subscription.putOut(code, message);
      }
    }
  }
}

const NONE: Problem = { code: "not_found", message: "No sanction of this user holds" };
const OF_MODERATOR: Problem = {
  code: "forbidden",
  message: "Moderators are put out by operators only",
};
const OF_OPERATOR: Problem = { code: "forbidden", message: "An operator has said so" };
