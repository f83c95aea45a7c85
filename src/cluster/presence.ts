/**
 * Who is connected to which isolate.
 *
 * @module
 */

import type { ClusterMessage, Heartbeat, PresenceRequest, Shutdown } from "./cluster_message.ts";
import type { PresenceChange, PresenceSnapshot } from "./cluster_message.ts";

/** Milliseconds between two signs of life of an isolate. */
const HEARTBEAT_MS = 2_000;
/** Milliseconds without one after which an isolate is taken for dead. */
const EXPIRY_MS = 7_000;
/** Milliseconds after which an isolate is asked again, where no answer came. */
const ASK_AGAIN_MS = 250;

/** How {@linkcode Presence} behaves. */
export interface PresenceOptions {
  /** The name of this isolate, unlike any other's. */
  readonly isolate: string;
  /** Sends a packet to the other isolates; it may get lost. */
  readonly post: (message: ClusterMessage) => void;
  /** Hears that a user is, or is no longer, connected to another isolate. */
  readonly onChange: (isolate: string, room: string, user: string, status: boolean) => void;
  /** Milliseconds between two signs of life. @default {2000} */
  readonly heartbeatMs?: number;
  /** Milliseconds without one after which an isolate is taken for dead. @default {7000} */
  readonly expiryMs?: number;
}

/** What is known of another isolate. */
interface Peer {
  /** How many of its changes are known; -1 until its roster came. */
  revision: number;
  heardAt: number;
  askedAt: number;
  rooms: Rooms;
}

type Rooms = Map<string, Set<string>>;

/** What is about presence among the packets. */
export type PresenceRelated =
  | PresenceChange
  | PresenceSnapshot
  | Heartbeat
  | PresenceRequest
  | Shutdown;

/**
 * Knows who is connected to which isolate, in every room. Changes are told at once and counted;
 * an isolate that notices by the count that it missed some asks for the whole. One that is not
 * heard for a while is taken for dead. Nothing is stored.
 */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #expiryMs: number;
  readonly #here: Rooms = new Map();
  #revision = 0;
  readonly #cluster = new Map<string, Peer>();
  /** Isolates that said goodbye: what was still under way does not bring them back. */
  readonly #gone = new Set<string>();
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * Begins to listen and to be heard.
   *
   * @param options How to reach the others, and who hears of changes.
   */
  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#expiryMs = options.expiryMs ?? EXPIRY_MS;
    this.#timer = setInterval(() => this.#beat(), options.heartbeatMs ?? HEARTBEAT_MS);
  }

  /** How many other isolates are heard. */
  get peerCount(): number {
    return this.#cluster.size;
  }

  /** Asks everybody who is connected to them. Called once, when packets can come in. */
  start(): void {
    this.#options.post({ kind: "presence_request", from: this.#options.isolate });
    this.#beat();
  }

  /**
   * Takes note that a user's first connection to this isolate came, or the last one went.
   *
   * @param room The room.
   * @param user Who.
   * @param status Whether they are here now.
   */
  set(room: string, user: string, status: boolean): void {
    apply(this.#here, room, user, status);
    const revision = ++this.#revision;
    const { isolate: from } = this.#options;
    this.#options.post({ kind: "presence", from, revision, room, user, status });
  }

  /**
   * Who is connected to other isolates.
   *
   * @param room The room.
   * @returns Each user with the isolate; a user may be at several.
   */
  *remote(room: string): Generator<[isolate: string, user: string]> {
    for (const [isolate, { rooms }] of this.#cluster) {
      for (const user of rooms.get(room) ?? []) yield [isolate, user];
    }
  }

  /**
   * Takes a packet of another isolate.
   *
   * @param packet The packet.
   */
  heard(message: PresenceRelated): void {
    const { from } = message;
    if (this.#gone.has(from)) return;
    if (message.kind === "shutdown") {
      this.#gone.add(from);
      return this.#drop(from);
    }
    const peer = this.#meet(from);
    switch (message.kind) {
      case "presence_request":
        if (message.of === undefined || message.of === this.#options.isolate) this.#tell();
        return;
      case "heartbeat":
        if (message.revision > peer.revision) this.#ask(from, peer);
        return;
      case "presence":
        return this.#heardChange(message, peer);
      case "presence_snapshot":
        return this.#heardRoster(message, peer);
    }
  }

  /**
   * Falls silent and forgets.
   *
   * @param options Whether the others are told; where they are not, they notice after a while.
   */
  close(options: { readonly goodbye: boolean }): void {
    clearInterval(this.#timer);
    if (options.goodbye) this.#options.post({ kind: "shutdown", from: this.#options.isolate });
    this.#cluster.clear();
  }

  #meet(isolate: string): Peer {
    let peer = this.#cluster.get(isolate);
    if (!peer) {
      peer = { revision: -1, heardAt: 0, askedAt: -Infinity, rooms: new Map() };
      this.#cluster.set(isolate, peer);
    }
    peer.heardAt = performance.now();
    return peer;
  }

  #heardChange({ from, revision, room, user, status }: PresenceChange, peer: Peer): void {
    if (revision <= peer.revision) return;
    if (revision > peer.revision + 1) return this.#ask(from, peer);
    peer.revision = revision;
    if (apply(peer.rooms, room, user, status)) this.#options.onChange(from, room, user, status);
  }

  #heardRoster({ from, revision, rooms }: PresenceSnapshot, peer: Peer): void {
    if (revision < peer.revision) return;
    const before = peer.rooms;
    peer.revision = revision;
    peer.rooms = new Map(rooms.map(([room, users]) => [room, new Set(users)]));
    this.#tellDifference(from, peer.rooms, before, true);
    this.#tellDifference(from, before, peer.rooms, false);
  }

  /** Tells of everybody who is in the one and not in the other. */
  #tellDifference(isolate: string, one: Rooms, other: Rooms, status: boolean): void {
    for (const [room, users] of one) {
      for (const user of users) {
        if (!other.get(room)?.has(user)) this.#options.onChange(isolate, room, user, status);
      }
    }
  }

  #ask(of: string, peer: Peer): void {
    const now = performance.now();
    if (now - peer.askedAt < ASK_AGAIN_MS) return;
    peer.askedAt = now;
    this.#options.post({ kind: "presence_request", from: this.#options.isolate, of });
  }

  #tell(): void {
    const rooms = [...this.#here].map(([room, users]) => [room, [...users]] as const);
    const { isolate: from } = this.#options;
    this.#options.post({ kind: "presence_snapshot", from, revision: this.#revision, rooms });
  }

  #drop(isolate: string): void {
    const peer = this.#cluster.get(isolate);
    if (!peer) return;
    this.#cluster.delete(isolate);
    this.#tellDifference(isolate, peer.rooms, new Map(), false);
  }

  #beat(): void {
    const { isolate: from } = this.#options;
    this.#options.post({ kind: "heartbeat", from, revision: this.#revision });
    const oldest = performance.now() - this.#expiryMs;
    for (const [isolate, { heardAt }] of this.#cluster) if (heardAt < oldest) this.#drop(isolate);
  }
}

/** Puts a user into a room or takes them out; tells whether that changed anything. */
function apply(rooms: Rooms, room: string, user: string, status: boolean): boolean {
  const users = rooms.get(room);
  if (!status) {
    const hasGone = users?.delete(user) ?? false;
    if (users?.size === 0) rooms.delete(room);
    return hasGone;
  }
  if (users?.has(user)) return false;
  if (users) users.add(user);
  else rooms.set(room, new Set([user]));
  return true;
}
