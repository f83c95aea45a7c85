/**
 * The sanctions of all rooms of a hub.
 *
 * @module
 */

import type { Problem, Role, Sanction, SanctionBody } from "../protocol/mod.ts";
import type { RoomLog } from "../store/room_log.ts";
import { checkNames, checkUser } from "./checked_names.ts";
import { Everywhere } from "./everywhere.ts";
import type { Room } from "./room.ts";
import type { RoomTable } from "./room_table.ts";
import { loadSanctions } from "./sanctions.ts";

/** What {@linkcode HubSanctions} needs. */
export interface HubSanctionsOptions {
  /** The rooms. */
  readonly rooms: RoomTable;
  /** The rooms' logs. */
  readonly log: Pick<RoomLog, "controls">;
  /** Called when what holds in all rooms is read for the first time. */
  readonly onOpen: () => void;
}

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
 * await hub.sanctions.imposeEverywhere({ user: "mallory", kind: "ban" });
 * ```
 */
export class HubSanctions {
  /** @internal What holds in all rooms. */
  readonly everywhere: Everywhere<Room>;
  readonly #options: HubSanctionsOptions;

  /**
   * Made by the hub.
   *
   * @param options The rooms.
   */
  constructor(options: HubSanctionsOptions) {
    this.#options = options;
    this.everywhere = new Everywhere(options);
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
    return await this.#in(room, ({ sanctions }) => sanctions.impose(sanction, by));
  }

  /**
   * Lifts the sanctions of a user in a room. Those that hold in all rooms stay.
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
    return await this.#in(room, ({ sanctions }) => sanctions.lift(user, by));
  }

  /**
   * Lists what holds in a room, without what holds in all of them.
   *
   * @param room The room's name.
   * @returns The sanctions, by user.
   * @throws {TypeError} Where the room has a name that the protocol refuses.
   * @throws Whatever the store rejects with where the room cannot be read.
   */
  async list(room: string): Promise<Sanction[]> {
    checkNames("list the sanctions of", room);
    return await this.#in(room, ({ sanctions }) => Promise.resolve(sanctions.list()));
  }

  /**
   * Mutes, bans or kicks a user in all rooms, also in those that come later.
   *
   * @param sanction What is done to whom.
   * @returns What is wrong, where it could not be stored; undefined when it holds here.
   * @throws {TypeError} Where the user has a name that the protocol refuses.
   * @throws Whatever the store rejects with.
   */
  async imposeEverywhere(sanction: SanctionBody): Promise<Problem | undefined> {
    checkUser("impose a sanction on", sanction.user);
    const { changes } = await this.everywhere.open();
    return await changes.sanctions.impose(sanction, undefined);
  }

  /**
   * Lifts what holds for a user in all rooms. What holds in a single room stays.
   *
   * @param user The user.
   * @returns What is wrong: `not_found` where none holds; undefined when they are lifted here.
   * @throws {TypeError} Where the user has a name that the protocol refuses.
   * @throws Whatever the store rejects with.
   */
  async liftEverywhere(user: string): Promise<Problem | undefined> {
    checkUser("lift a sanction of", user);
    const { changes } = await this.everywhere.open();
    return await changes.sanctions.lift(user, undefined);
  }

  /**
   * Lists what holds in all rooms.
   *
   * @returns The sanctions, by user.
   * @throws Whatever the store rejects with.
   */
  async listEverywhere(): Promise<Sanction[]> {
    const { changes } = await this.everywhere.open();
    return changes.sanctions.list();
  }

  /**
   * Tells what keeps a user from a room, and from reading what is said there.
   *
   * @param room The room's name, which need not be in memory.
   * @param user The user.
   * @param role The user's role there.
   * @returns `banned`, or undefined.
   * @throws Whatever the store rejects with.
   */
  async banOf(room: string, user: string, role: Role): Promise<Problem | undefined> {
    await this.everywhere.open();
    const found = this.#options.rooms.findOpen(room);
    if (found) {
      using _hold = found.hold();
      await found.open();
      return found.changes.sanctions.banOf(user, role);
    }
    const sanctions = await loadSanctions(this.#options.log, room);
    return sanctions.banOf(user, role) ?? this.everywhere.banOf(user, role);
  }

  async #in<T>(room: string, action: (changes: Room["changes"]) => Promise<T>): Promise<T> {
    const found = this.#options.rooms.obtain(room);
    using _hold = found.hold();
    await found.open();
    return await action(found.changes);
  }
}
