/**
 * Sanctions of a room over HTTP.
 *
 * @module
 */

import type { Sanction, SanctionBody } from "../protocol/mod.ts";
import { ChatError } from "./chat_error.ts";
import { errorOfAnswer, type HttpAnswer, isObject } from "./http_answer.ts";
import type { HttpClient } from "./http_client.ts";

/** What is done to a user: to mute or to ban, for how long, or to put out once; and why. */
export type SanctionDraft = Omit<SanctionBody, "user">;

/** How {@linkcode RoomSanctions} behaves. */
export interface RoomSanctionsOptions {
  /** The room's URL, with `http:` or `https:`, without a slash at its end. */
  readonly url: string;
  /** What to ask with. */
  readonly http: HttpClient;
  /** Aborted when the client has ended for good. */
  readonly closing: AbortSignal;
}

/**
 * The sanctions of a room, for its moderators: all promises reject with a {@linkcode ChatError} where
 * the server refuses (`forbidden`) or cannot be reached.
 *
 * @example
 * ```ts
 * import type { Room } from "@hubbub/hub/client";
 *
 * export async function calmDown(lobby: Room): Promise<void> {
 *   await lobby.sanctions.impose("mallory", { kind: "mute", seconds: 600, reason: "Calm down" });
 *   for (const { user, kind } of await lobby.sanctions.list()) console.log(user, kind);
 *   await lobby.sanctions.lift("mallory");
 * }
 * ```
 */
export class RoomSanctions {
  readonly #options: RoomSanctionsOptions;

  /**
   * Made by `client.room()`.
   *
   * @param options Where the room is, and what to ask with.
   * @ignore
   */
  constructor(options: RoomSanctionsOptions) {
    this.#options = options;
  }

  /**
   * Reads what holds.
   *
   * @returns The mutes and bans, by user.
   */
  async list(): Promise<Sanction[]> {
    const answer = await this.#ask("GET");
    const { body } = answer;
    if (isObject(body) && Array.isArray(body.sanctions)) return body.sanctions;
    throw NO_LIST;
  }

  /**
   * Mutes, bans or kicks a user. It holds everywhere once the promise resolves.
   *
   * @param user The user.
   * @param draft What is done.
   */
  async impose(user: string, draft: SanctionDraft): Promise<void> {
    await this.#ask("POST", "", { user, ...draft });
  }

  /**
   * Lifts the mute and the ban of a user.
   *
   * @param user The user.
   */
  async lift(user: string): Promise<void> {
    await this.#ask("DELETE", `?${new URLSearchParams({ user })}`);
  }

  async #ask(method: string, query = "", body?: SanctionBody): Promise<HttpAnswer> {
    const { url, http, closing } = this.#options;
    const answer = await http.send(`${url}/sanctions${query}`, { method, body }, closing);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw errorOfAnswer(answer, http.isTokenRenewable);
  }
}

const NO_LIST = new ChatError("The server answered with something other than a list", {
  code: "unreachable",
  temporary: true,
});
