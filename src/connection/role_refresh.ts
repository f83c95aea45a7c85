/**
 * The roles of a connection in its rooms, after a fresh token.
 *
 * @module
 */

import { HttpError } from "../access/http_error.ts";
import type { Problem, RoomRole } from "../protocol/mod.ts";

/** How {@linkcode RoleRefresh} behaves. */
export interface RoleRefreshOptions<M> {
  /** Gives the role in the room of a member, by the newest token. May throw or reject. */
  readonly roleOf: (member: M) => RoomRole | Promise<RoomRole>;
  /** Whether a member is still in its room. */
  readonly has: (member: M) => boolean;
  /** Called with each member and its role. */
  readonly onRole: (member: M, role: RoomRole) => void;
  /** Called with each member whose role cannot be told now, and keeps what it was. */
  readonly onFailure: (member: M, problem: Problem) => void;
}

/**
 * Asks for the role of each member of a connection anew. What an older run is answered late counts
 * no more.
 *
 * @example
 * ```ts
 * import { RoleRefresh } from "./role_refresh.ts";
 *
 * const refresh = new RoleRefresh<string>({
 *   roleOf: (room) => room === "lobby" ? "reader" : "none",
 *   has: () => true,
 *   onRole: (room, role) => console.log(room, role),
 *   onFailure: (room, { message }) => console.error(room, message),
 * });
 * refresh.run(["lobby", "staff"]); // lobby reader, staff none
 * ```
 */
export class RoleRefresh<M> {
  readonly #options: RoleRefreshOptions<M>;
  #runs = 0;

  /** @param options What gives roles, and what is told of them. */
  constructor(options: RoleRefreshOptions<M>) {
    this.#options = options;
  }

  /**
   * Asks for the role of each member.
   *
   * @param members The members.
   */
  run(members: Iterable<M>): void {
    const { has, onFailure, onRole, roleOf } = this.#options;
    const run = ++this.#runs;
    const isCurrent = (member: M) => run === this.#runs && has(member);
    for (const member of members) {
      const fail = (error: unknown) => {
        if (!isCurrent(member)) return;
        onFailure(member, error instanceof HttpError ? error.problem : UNKNOWN);
      };
      try {
        const role = roleOf(member);
        if (typeof role === "string") onRole(member, role);
        else void role.then((role) => void (isCurrent(member) && onRole(member, role)), fail);
      } catch (error) {
        fail(error);
      }
    }
  }
}

const UNKNOWN: Problem = { code: "unavailable", message: "Your role cannot be told now" };
