/**
 * The users that are present in each room, on all isolates.
 *
 * @module
 */

import type { ClusterMessage, Heartbeat, PresenceRequest, Shutdown } from "./cluster_message.ts";
import type { PresenceChange, PresenceSnapshot } from "./cluster_message.ts";
import { UserSet } from "./user_set.ts";

/** Milliseconds between two heartbeats of an isolate. */
export const HEARTBEAT_MS = 2_000;
/** Milliseconds without a heartbeat after which an isolate is taken for dead. */
export const EXPIRY_MS = 7_000;
/** Milliseconds after which an isolate is asked again, where no answer came. */
const ASK_AGAIN_MS = 250;

/** How {@linkcode Presence} behaves. */
export interface PresenceOptions {
  /** The id of this isolate, unlike any other's. */
  readonly isolate: string;
  /** Sends a message to the other isolates; it may get lost. Must not throw. */
  readonly post: (message: ClusterMessage) => void;
  /**
   * Called when the first connection of a user to a room came, on any isolate, and when the last
   * one went. Must not throw.
   */
  readonly onChange: (room: string, user: string, status: boolean) => void;
  /** Called when the last connection of a user to another isolate went. Must not throw. */
  readonly onRemoteLeave: (isolate: string, room: string, user: string) => void;
  /** Milliseconds between two heartbeats. @default {2000} */
  readonly heartbeatMs?: number;
  /** Milliseconds without a heartbeat after which an isolate is taken for dead. @default {7000} */
  readonly expiryMs?: number;
}

/** Another isolate. */
interface Peer {
  /** How many of its changes are known; -1 until its snapshot came. */
  revision: number;
  heardAt: number;
  askedAt: number;
}

/** The cluster messages that are about presence. */
export type PresenceRelated =
  | PresenceChange
  | PresenceSnapshot
  | Heartbeat
  | PresenceRequest
  | Shutdown;

/** What holds a user in a room: a connection to this isolate, or the id of another isolate. */
type Holder = object | string;

/**
 * The one owner of who is in which room: connections to this isolate, and what other isolates say.
 * Changes are sent at once and numbered; an isolate that misses a number asks for a snapshot. One
 * that is not heard for a while is taken for dead, and its users leave. Nothing is stored.
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
  readonly #expiryMs: number;
  readonly #rooms = new Map<string, UserSet<Holder>>();
  /** How many changes of its own this isolate has sent. */
  #revision = 0;
  readonly #peers = new Map<string, Peer>();
  /** Isolates that shut down: what was still under way does not bring them back. */
  readonly #gone = new Set<string>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Creates a presence without users.
   *
   * @param options How to reach the other isolates, and what is called on a change.
   */
  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#expiryMs = options.expiryMs ?? EXPIRY_MS;
  }

  /** How many other isolates are heard. */
  get peerCount(): number {
    return this.#peers.size;
  }

  /** Starts the heartbeat and asks all isolates for a snapshot; called once, if there are others. */
  start(): void {
    this.#timer = setInterval(() => this.#beat(), this.#options.heartbeatMs ?? HEARTBEAT_MS);
    this.#options.post({ kind: "presence_request", from: this.#options.isolate });
    this.#beat();
  }

  /**
   * The users in a room, on all isolates.
   *
   * @param room The name of the room.
   * @returns Sorted by code unit.
   */
  users(room: string): string[] {
    return this.#rooms.get(room)?.users() ?? [];
  }

  /**
   * Whether a user is in a room, on any isolate.
   *
   * @param room The name of the room.
   * @param user The user.
   * @returns True while a connection of the user is in it.
   */
  has(room: string, user: string): boolean {
    return this.#rooms.get(room)?.has(user) ?? false;
  }

  /**
   * Adds a connection to this isolate.
   *
   * @param room The room that it is in.
   * @param user The user whose connection it is.
   * @param connection The connection.
   */
  add(room: string, user: string, connection: object): void {
    const users = this.#obtain(room);
    const wasLocal = isLocal(users, user);
    const isNew = users.add(user, connection);
    if (!wasLocal) this.#postChange(room, user, true);
    if (isNew) this.#options.onChange(room, user, true);
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
    if (!users?.holders(user).has(connection)) return;
    const hasLeft = users.remove(user, connection);
    if (!isLocal(users, user)) this.#postChange(room, user, false);
    this.#sweep(room, users);
    if (hasLeft) this.#options.onChange(room, user, false);
  }

  /**
   * Receives a message of another isolate.
   *
   * @param message The message.
   */
  receive(message: PresenceRelated): void {
    const { from } = message;
    if (this.#gone.has(from)) return;
    if (message.kind === "shutdown") {
      this.#gone.add(from);
      return this.#drop(from);
    }
    const peer = this.#obtainPeer(from);
    switch (message.kind) {
      case "presence_request":
        if (message.of === undefined || message.of === this.#options.isolate) this.#postSnapshot();
        return;
      case "heartbeat":
        if (message.revision > peer.revision) this.#ask(from, peer);
        return;
      case "presence":
        return this.#receiveChange(message, peer);
      case "presence_snapshot":
        return this.#receiveSnapshot(message, peer);
    }
  }

  /**
   * Stops the heartbeat and forgets all users without calling anything.
   *
   * @param options Whether the other isolates are told; otherwise they notice after a while.
   */
  close(options: { readonly goodbye: boolean }): void {
    clearInterval(this.#timer);
    if (options.goodbye) this.#options.post({ kind: "shutdown", from: this.#options.isolate });
    this.#peers.clear();
    this.#rooms.clear();
  }

  #obtain(room: string): UserSet<Holder> {
    let users = this.#rooms.get(room);
    if (!users) this.#rooms.set(room, users = new UserSet());
    return users;
  }

  /** Forgets a room in which nobody is. */
  #sweep(room: string, users: UserSet<Holder>): void {
    if (users.size === 0) this.#rooms.delete(room);
  }

  #obtainPeer(isolate: string): Peer {
    let peer = this.#peers.get(isolate);
    if (!peer) this.#peers.set(isolate, peer = { revision: -1, heardAt: 0, askedAt: -Infinity });
    peer.heardAt = performance.now();
    return peer;
  }

  #receiveChange({ from, revision, room, user, status }: PresenceChange, peer: Peer): void {
    if (revision <= peer.revision) return;
    if (revision > peer.revision + 1) return this.#ask(from, peer);
    peer.revision = revision;
    if (status) this.#addRemote(from, room, user);
    else this.#removeRemote(from, room, user);
  }

  #receiveSnapshot({ from, revision, rooms }: PresenceSnapshot, peer: Peer): void {
    if (revision < peer.revision) return;
    peer.revision = revision;
    const there = new Map(rooms.map(([room, users]) => [room, new Set(users)]));
    for (const [room, users] of there) {
      for (const user of users) this.#addRemote(from, room, user);
    }
    this.#removeAllRemote(from, (room, user) => there.get(room)?.has(user) ?? false);
  }

  #addRemote(isolate: string, room: string, user: string): void {
    if (this.#obtain(room).add(user, isolate)) this.#options.onChange(room, user, true);
  }

  #removeRemote(isolate: string, room: string, user: string): void {
    const users = this.#rooms.get(room);
    if (!users?.holders(user).has(isolate)) return;
    const hasLeft = users.remove(user, isolate);
    this.#sweep(room, users);
    this.#options.onRemoteLeave(isolate, room, user);
    if (hasLeft) this.#options.onChange(room, user, false);
  }

  /** Removes the users of an isolate, except those that are kept. */
  #removeAllRemote(isolate: string, keeps: (room: string, user: string) => boolean): void {
    for (const [room, users] of [...this.#rooms]) {
      for (const user of users.users()) {
        if (!keeps(room, user)) this.#removeRemote(isolate, room, user);
      }
    }
  }

  #ask(of: string, peer: Peer): void {
    const now = performance.now();
    if (now - peer.askedAt < ASK_AGAIN_MS) return;
    peer.askedAt = now;
    this.#options.post({ kind: "presence_request", from: this.#options.isolate, of });
  }

  #postChange(room: string, user: string, status: boolean): void {
    const revision = ++this.#revision;
    const { isolate: from } = this.#options;
    this.#options.post({ kind: "presence", from, revision, room, user, status });
  }

  #postSnapshot(): void {
    const rooms = [...this.#rooms]
      .map(([room, users]) => [room, users.users().filter((user) => isLocal(users, user))] as const)
      .filter(([, users]) => users.length > 0);
    const { isolate: from } = this.#options;
    this.#options.post({ kind: "presence_snapshot", from, revision: this.#revision, rooms });
  }

  #drop(isolate: string): void {
    if (this.#peers.delete(isolate)) this.#removeAllRemote(isolate, () => false);
  }

  #beat(): void {
    const { isolate: from } = this.#options;
    this.#options.post({ kind: "heartbeat", from, revision: this.#revision });
    const oldest = performance.now() - this.#expiryMs;
    for (const [isolate, { heardAt }] of this.#peers) if (heardAt < oldest) this.#drop(isolate);
  }
}

/** Whether a connection to this isolate holds a user. */
function isLocal(users: UserSet<Holder>, user: string): boolean {
  for (const holder of users.holders(user)) if (typeof holder === "object") return true;
  return false;
}
