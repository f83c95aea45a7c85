/**
 * The sanctions that hold in a room.
 *
 * @module
 */

import type { Problem, Role, Sanction, SanctionBody } from "../protocol/mod.ts";
import type { RoomLog } from "../store/room_log.ts";

/** What is stored of a sanction, under the name of its state. */
export interface StoredSanction {
  /** The moderator that has said so; missing where it was an operator, who may do it to moderators. */
  readonly by?: string;
  /** When, in milliseconds since the epoch. */
  readonly at: number;
  /** Until when it holds; for good where it is missing. */
  readonly until?: number;
  /** Why. */
  readonly reason?: string;
}

/** What a control record says about a user. */
export interface SanctionRecord {
  /** The name of the state, such as `ban:mallory`. */
  readonly name: string;
  /** What holds from now on; null where nothing does. */
  readonly value: StoredSanction | null;
}

/** A user that has to leave the room, or may no longer type. */
export interface PutOut {
  /** The user. */
  readonly user: string;
  /** Why, for programs: who is muted stays. */
  readonly code: "kicked" | "banned" | "muted";
  /** Why, in a sentence. */
  readonly message: string;
  /** Whether an operator says so: then moderators have to leave too. */
  readonly isByOperator: boolean;
}

/** Sanctions that are remembered at most, beyond which those that have expired are forgotten. */
const SWEEP_FROM = 1_000;
const BANNED = "You are banned here";
const MUTED = "You are muted here";
const NAME = /^(mute|ban|kick):(.+)$/s;

/**
 * Makes the control record of a sanction.
 *
 * @param sanction What is done to whom.
 * @param by The moderator who says so; undefined for an operator.
 * @param at When, in milliseconds since the epoch.
 * @returns The name of the state that it sets, and its value.
 *
 * @example
 * ```ts
 * import { recordOf } from "./sanctions.ts";
 *
 * const { name } = recordOf({ user: "mallory", kind: "mute", seconds: 60 }, "ann", Date.now());
 * console.log(name); // mute:mallory
 * ```
 */
export function recordOf(
  { user, kind, seconds, reason }: SanctionBody,
  by: string | undefined,
  at: number,
): SanctionRecord & { readonly value: StoredSanction } {
  const name = `${kind}:${user}`;
  const value = {
    ...(by !== undefined && { by }),
    at,
    ...(seconds !== undefined && { until: at + 1000 * seconds }),
    ...(reason !== undefined && { reason }),
  };
  return { name, value };
}

/**
 * Reads what holds in a room.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param sanctions What is filled. @default {none}
 * @returns The same.
 * @throws Whatever the store rejects with.
 */
export async function loadSanctions(
  log: Pick<RoomLog, "controls">,
  room: string,
  sanctions: Sanctions = new Sanctions(),
): Promise<Sanctions> {
  for (const { name, value } of await log.controls(room)) {
    sanctions.apply({ name: name.join(" "), value: JSON.parse(value) });
  }
  return sanctions;
}

/**
 * Who is muted and who is banned, as the room's control records say in their order. The time of a
 * sanction is that of the isolate that was asked for it; it ends by the clock of the one that looks.
 *
 * @example
 * ```ts
 * import { recordOf, Sanctions } from "./sanctions.ts";
 *
 * const sanctions = new Sanctions();
 * sanctions.apply(recordOf({ user: "mallory", kind: "ban" }, "ann", Date.now()));
 * console.log(sanctions.problemOf("mallory", "member")?.code); // banned
 * ```
 */
export class Sanctions {
  readonly #states = new Map<string, StoredSanction>();
  readonly #now: () => number;
  #sweepAt = SWEEP_FROM;

  /** @param now Milliseconds since the epoch. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * Applies a control record.
   *
   * @param record The record; one that is about no sanction is passed over.
   * @returns Whom it concerns at once, and why; undefined for nobody.
   */
  apply({ name, value }: SanctionRecord): PutOut | undefined {
    const [, kind, user] = NAME.exec(name) ?? [];
    if (user === undefined) return undefined;
    if (value === null || !isStored(value)) {
      this.#states.delete(name);
      return undefined;
    }
    const isByOperator = value.by === undefined;
    if (kind === "kick") {
      const message = withReason("You were put out of the room", value.reason);
      return { user, isByOperator, code: "kicked", message };
    }
    if (this.#states.size >= this.#sweepAt) this.#sweep();
    this.#states.set(name, value);
    if (!this.#holds(name)) return undefined;
    const [code, what] = kind === "ban" ? ["banned" as const, BANNED] : ["muted" as const, MUTED];
    return { user, isByOperator, code, message: withReason(what, value.reason) };
  }

  /**
   * Tells what keeps a user from being in the room.
   *
   * @param user The user.
   * @param role The user's role: only operators' sanctions hold for a moderator.
   * @returns `banned`, or undefined.
   */
  banOf(user: string, role: Role): Problem | undefined {
    return this.#problem(`ban:${user}`, role, "banned", BANNED);
  }

  /**
   * Tells what keeps a user from sending.
   *
   * @param user The user.
   * @param role The user's role.
   * @returns `banned` or `muted`, or undefined.
   */
  problemOf(user: string, role: Role): Problem | undefined {
    if (this.#states.size === 0) return undefined;
    return this.banOf(user, role) ?? this.#problem(`mute:${user}`, role, "muted", MUTED);
  }

  /** The sanctions that hold, by user. */
  list(): Sanction[] {
    const found: Sanction[] = [];
    for (const [name, { by, at, until, reason }] of this.#states) {
      const [, kind, user] = NAME.exec(name)!;
      if (!this.#holds(name)) continue;
      found.push({
        user,
        kind: kind as Sanction["kind"],
        ...(by !== undefined && { by }),
        at,
        ...(until !== undefined && { until }),
        ...(reason !== undefined && { reason }),
      });
    }
    return found.sort((a, b) => a.user < b.user ? -1 : a.user > b.user ? 1 : 0);
  }

  #problem(
    name: string,
    role: Role,
    code: "banned" | "muted",
    what: string,
  ): Problem | undefined {
    if (!this.#holds(name)) return undefined;
    const { by, until, reason } = this.#states.get(name)!;
    if (role === "moderator" && by !== undefined) return undefined;
    const message = withReason(what, reason);
    if (until === undefined) return { code, message };
    return { code, message, retry_after_ms: Math.max(1, until - this.#now()) };
  }

  #holds(name: string): boolean {
    const until = this.#states.get(name)?.until ?? Infinity;
    return this.#states.has(name) && until > this.#now();
  }

  #sweep(): void {
    for (const name of this.#states.keys()) if (!this.#holds(name)) this.#states.delete(name);
    this.#sweepAt = Math.max(SWEEP_FROM, 2 * this.#states.size);
  }
}

function withReason(what: string, reason: string | undefined): string {
  return reason ? `${what}: ${reason}` : what;
}

function isStored(value: StoredSanction): boolean {
  return typeof value === "object" && (value.by === undefined || typeof value.by === "string") &&
    typeof value.at === "number" && (value.until === undefined || typeof value.until === "number");
}
