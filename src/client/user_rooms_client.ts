/**
 * A user's rooms and read marks over HTTP.
 *
 * @module
 */

import type { UserRoom } from "../protocol/mod.ts";
import { ChatError } from "./chat_error.ts";
import type { HttpClient } from "./http_client.ts";
import { errorOfAnswer, type HttpAnswer, isObject } from "./http_answer.ts";

/** Rooms that are asked for at once. */
const PAGE = 100;
/** Pages that are read: the hub keeps 500 rooms of a user. */
const PAGES_MAX = 5;

/** How {@linkcode UserRoomsClient} behaves. */
export interface UserRoomsClientOptions {
  /** The server's base, with `http:` or `https:`, without a slash at its end. */
  readonly server: string;
  /** What to ask with. */
  readonly http: HttpClient;
  /** Aborted when the client has ended. */
  readonly closing: AbortSignal;
}

/** Asks the hub for the rooms that a user has been in, and moves marks where there is no stay. */
export class UserRoomsClient {
  readonly #options: UserRoomsClientOptions;

  /** @param options Where the server is, and what to ask with. */
  constructor(options: UserRoomsClientOptions) {
    this.#options = options;
  }

  /**
   * Reads the rooms.
   *
   * @returns All of them, newest first; undefined where the hub keeps none, since it does not know its
   * users.
   * @throws {ChatError} Where the server refused, or did not answer.
   * @throws The reason of `closing`, once it is aborted.
   */
  async list(): Promise<readonly UserRoom[] | undefined> {
    const rooms: UserRoom[] = [];
    let after = "";
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const answer = await this.#ask("GET", { limit: String(PAGE), ...(after && { after }) });
      if (isAbsent(answer)) return undefined;
      const { body } = this.#check(answer);
      if (!isObject(body) || !Array.isArray(body.rooms)) throw NO_LIST;
      rooms.push(...body.rooms.filter(isUserRoom));
      if (typeof body.next !== "string") break;
      after = body.next;
    }
    return rooms;
  }

  /**
   * Moves a mark on. Never rejects: a mark that is lost is moved with the next one.
   *
   * @param room The room.
   * @param read The newest message that was read.
   */
  async mark(room: string, read: string): Promise<void> {
    try {
      await this.#ask("PUT", { room }, { read });
    } catch {
      // As said.
    }
  }

  /**
   * Forgets a room.
   *
   * @param room The room.
   * @throws {ChatError} Where the server refused, or did not answer.
   */
  async forget(room: string): Promise<void> {
    const answer = await this.#ask("DELETE", { room });
    if (!isAbsent(answer)) this.#check(answer);
  }

  #ask(method: string, query: Record<string, string>, body?: unknown): Promise<HttpAnswer> {
    const { server, http, closing } = this.#options;
    const url = `${server}/users/me/rooms?${new URLSearchParams(query)}`;
    return http.send(url, { method, body }, closing);
  }

  #check(answer: HttpAnswer): HttpAnswer {
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw errorOfAnswer(answer, this.#options.http.isTokenRenewable);
  }
}

/** An open hub has nothing at the path, and says so itself. */
function isAbsent({ status, body }: HttpAnswer): boolean {
  return status === 404 && isObject(body) && isObject(body.error) &&
    body.error.code === "not_found";
}

function isUserRoom(value: unknown): value is UserRoom {
  return isObject(value) && [value.room, value.cursor, value.read].every(isText) &&
    typeof value.unread === "number" && typeof value.mentions === "number" &&
    (value.last === null || isObject(value.last) && isText(value.last.cursor));
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

const NO_LIST = new ChatError("The server answered with something other than a list of rooms", {
  code: "unreachable",
  temporary: true,
});
