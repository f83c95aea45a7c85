/**
 * The sanctions of all rooms of a hub.
 *
 * @module
 */

import type { Problem, Sanction, SanctionBody } from "../protocol/mod.ts";
import { checkNames } from "./checked_names.ts";
import type { Room } from "./room.ts";

/**
 * Mutes, bans and kicks users, on all isolates: by control records in the rooms' logs, in whose
 * order they hold.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * await hub.sanctions.impose("lobby", { user: "mallory", kind: "mute", seconds: 600 });
 * const outcome = await hub.publish("lobby", "mallory", { text: "hello" });
 * console.log(outcome.status); // refused
 * ```
 */
export class HubSanctions {
  readonly #rooms: { obtain(name: string): Room };

  /**
   * Made by the hub.
   *
   * @param rooms The rooms.
   */
  constructor(rooms: { obtain(name: string): Room }) {
    this.#rooms = rooms;
  }

  /**
   * Mutes, bans or kicks a user.
   *
   * @param room The room's name.
   * @param sanction What is done to whom.
   * @param by The moderator who says so. @default {undefined} an operator, whose word holds for
   * moderators too
   * @returns What is wrong, where it could not be stored; undefined when it holds here.
   * @throws {TypeError} Where the room or the user has a name that the protocol refuses.
   * @throws Whatever the store rejects with where the room cannot be read.
   */
  async impose(room: string, sanction: SanctionBody, by?: string): Promise<Problem | undefined> {
    checkNames("impose a sanction in", room, sanction.user);
    const found = this.#rooms.obtain(room);
    using _hold = found.hold();
    await found.open();
    return await found.changes.sanctions.impose(sanction, by);
  }

  /**
   * Lifts the sanctions of a user.
   *
   * @param room The room's name.
   * @param user The user.
   * @param by The moderator who says so. @default {undefined} an operator
   * @returns What is wrong: `not_found` where none holds; undefined when they are lifted here.
   * @throws {TypeError} Where the room or the user has a name that the protocol refuses.
   * @throws Whatever the store rejects with where the room cannot be read.
   */
  async lift(room: string, user: string, by?: string): Promise<Problem | undefined> {
    checkNames("lift a sanction in", room, user);
    const found = this.#rooms.obtain(room);
    using _hold = found.hold();
    await found.open();
    return await found.changes.sanctions.lift(user, by);
  }

  /**
   * Lists what holds in a room.
   *
   * @param room The room's name.
   * @returns The sanctions, by user.
   * @throws {TypeError} Where the room has a name that the protocol refuses.
   * @throws Whatever the store rejects with where the room cannot be read.
   */
  async list(room: string): Promise<Sanction[]> {
    checkNames("list the sanctions of", room);
    const found = this.#rooms.obtain(room);
    using _hold = found.hold();
    await found.open();
    return found.changes.sanctions.list();
  }
}
