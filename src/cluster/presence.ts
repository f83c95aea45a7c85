/**
 * The users that are present in each room, on all isolates.
 *
 * @module
 */

import {
  PresenceExchange,
  type PresenceExchangeOptions,
  type PresenceRelated,
} from "./presence_exchange.ts";
import { type PresentUser, RoomPresence } from "./room_presence.ts";

/** How {@linkcode Presence} behaves. */
export interface PresenceOptions extends Omit<PresenceExchangeOptions, "revision" | "rooms"> {
  /** Asks the fan-out for a room's messages, or no longer. Must not throw. @default {undefined} */
  readonly onInterest?: (room: string, isNeeded: boolean) => void;
  /**
   * Called when the first connection of a user to a room came, on any isolate, and when the last
   * one went. Must not throw.
   */
  readonly onChange: (room: string, user: string, status: boolean) => void;
  /** Called when another display name is shown for a user who stays. Must not throw. */
  readonly onRename?: (room: string, user: string) => void;
  /** Called when the last connection of a user to another isolate went. Must not throw. */
  readonly onRemoteLeave: (isolate: string, room: string, user: string) => void;
}

/**
 * The one owner of who is in which room: connections to this isolate, and what other isolates say of
 * the rooms that are open here. Who opens a room asks the others, and from then on hears of every
 * change. Nothing is stored.
 *
 * @example
 * ```ts
 * import { Presence } from "./presence.ts";
 *
 * const presence = new Presence({
 *   isolate: crypto.randomUUID(),
 *   post() {},
 *   onChange: (room, user, status) => console.log(room, user, status),
 *   onRemoteLeave() {},
 * });
 * const connection = {};
 * presence.add("lobby", "ann", connection); // lobby ann true
 * console.log(presence.users("lobby")); // ["ann"]
 * presence.remove("lobby", "ann", connection); // lobby ann false
 * ```
 */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #rooms = new Map<string, RoomPresence>();
  readonly #exchange: PresenceExchange;
  /** The last revision that this isolate has used, in any room. */
  #revision = 0;

  /**
   * Creates a presence without users.
   *
   * @param options How to reach the other isolates, and what is called on a change.
   */
  constructor(options: PresenceOptions) {
    this.#options = options;
    const rooms = this.#rooms;
    this.#exchange = new PresenceExchange({ ...options, rooms, revision: () => this.#revision });
  }

  /** How many other isolates are heard. */
  get peerCount(): number {
    return this.#exchange.peerCount;
  }

  /** Whether other isolates are told and asked. */
  get isShared(): boolean {
    return this.#exchange.isOn;
  }

  /** Starts the heartbeat; called once, if there are others. */
  start(): void {
    this.#exchange.start();
  }

  /** Makes this isolate known, and asks for all open rooms: the others can be reached from now on. */
  connected(): void {
    this.#exchange.connected();
  }

  /**
   * Opens a room: its users on other isolates become known, and changes are heard. Adding somebody
   * does the same.
   *
   * @param room The name of the room.
   * @returns Settles when the others have answered, or had 150 ms; undefined where that is so
   * already, or there is nobody to ask. Never rejects.
   */
  open(room: string): Promise<void> | undefined {
    const { answers } = this.#obtain(room);
    return answers && !answers.isSettled ? answers.settled : undefined;
  }

  /**
   * Closes a room in which nobody is on this isolate.
   *
   * @param room The name of the room.
   */
  closeRoom(room: string): void {
    const users = this.#rooms.get(room);
    if (!users || users.localUsers().length > 0) return;
    this.#rooms.delete(room);
    users.answers?.end();
    if (this.isShared) this.#options.onInterest?.(room, false);
  }

  /**
   * The users in a room that is open, on all isolates.
   *
   * @param room The name of the room.
   * @returns Sorted by code unit.
   */
  users(room: string): string[] {
    return this.#rooms.get(room)?.users() ?? [];
  }

  /**
   * Whether a user is in a room that is open, on any isolate.
   *
   * @param room The name of the room.
   * @param user The user.
   * @returns True while a connection of the user is in it.
   */
  has(room: string, user: string): boolean {
    return this.#rooms.get(room)?.has(user) ?? false;
  }

  /**
   * The display name of a user in a room that is open.
   *
   * @param room The name of the room.
   * @param user The user.
   * @returns The name; undefined where there is none.
   */
  nameOf(room: string, user: string): string | undefined {
    return this.#rooms.get(room)?.nameOf(user);
  }

  /**
   * Whether a user is in a room that is open as its moderator, on any isolate.
   *
   * @param room The name of the room.
   * @param user The user.
   * @returns True while a connection is in it for which the user is one.
   */
  isModerator(room: string, user: string): boolean {
    return this.#rooms.get(room)?.isModerator(user) ?? false;
  }

  /**
   * Adds a connection to this isolate, or changes what one that is there says of its user.
   *
   * @param room The room that it is in.
   * @param user The user whose connection it is.
   * @param connection The connection.
   * @param said The user's display name, and whether the user is a moderator.
   */
  add(room: string, user: string, connection: object, said?: PresentUser): void {
    const users = this.#obtain(room);
    if (users.add(user, connection, said)) this.#tell(room, users, user);
  }

  /**
   * Removes a connection to this isolate; does nothing where it was not added.
   *
   * @param room The room that it was in.
   * @param user The user whose connection it was.
   * @param connection The connection.
   */
  remove(room: string, user: string, connection: object): void {
    const users = this.#rooms.get(room);
    if (!users) return;
    const isToTell = users.remove(user, connection);
    if (isToTell === undefined) return;
    if (isToTell) this.#tell(room, users, user);
    if (!this.isShared && users.isEmpty) this.#rooms.delete(room);
  }

  /**
   * Receives a message of another isolate.
   *
   * @param message The message.
   */
  receive(message: PresenceRelated): void {
    this.#exchange.receive(message);
  }

  /**
   * Stops the heartbeat and forgets all users without calling anything.
   *
   * @param options Whether the other isolates are told; otherwise they notice after a while.
   */
  close(options: { readonly goodbye: boolean }): void {
    this.#exchange.close(options);
    for (const { answers } of this.#rooms.values()) answers?.end();
    this.#rooms.clear();
  }

  #obtain(name: string): RoomPresence {
    const known = this.#rooms.get(name);
    if (known) return known;
    const { onChange, onRemoteLeave, onRename, onInterest } = this.#options;
    const room = new RoomPresence(++this.#revision, {
      onChange: (user, status) => onChange(name, user, status),
      onRename: (user) => onRename?.(name, user),
      onRemoteLeave: (isolate, user) => onRemoteLeave(isolate, name, user),
    });
    this.#rooms.set(name, room);
    if (this.isShared) onInterest?.(name, true);
    this.#exchange.opened(name, room);
    return room;
  }

  /** Tells the others how it is with a user on this isolate. */
  #tell(room: string, users: RoomPresence, user: string): void {
    const prev = users.revision;
    const revision = users.revision = ++this.#revision;
    const change = { user, status: users.isLocal(user), ...users.local(user) };
    this.#exchange.changed({ room, prev, revision, ...change });
  }
}
