/**
 * What isolates tell each other of who is where.
 *
 * @module
 */

import type {
  ClusterMessage,
  Heartbeat,
  PresenceChange,
  PresenceRequest,
  PresenceSnapshot,
  Shutdown,
} from "./cluster_message.ts";
import { ANSWER_MS, OpeningAnswers } from "./opening_answers.ts";
import { Peers } from "./peers.ts";
import { RecentChanges } from "./recent_changes.ts";
import type { PresentUser, RoomPresence } from "./room_presence.ts";

/** Milliseconds between two heartbeats of an isolate. */
export const HEARTBEAT_MS = 2_000;
/** Milliseconds without a heartbeat after which an isolate is taken for dead. */
export const EXPIRY_MS = 7_000;
/** Heartbeats between two times that a room asks what the others know: 30 s. */
const ASK_BEATS = 15;
/** Asking times without a word about a room after which an isolate is asked by itself. */
const SILENT_ASKS = 2.5;
/** Rooms that ask together, and heartbeats over which more of them are spread. */
const AT_ONCE_MAX = 100;
const SPREAD_BEATS = 3;

/** How {@linkcode PresenceExchange} behaves. */
export interface PresenceExchangeOptions {
  /** The id of this isolate, unlike any other's. */
  readonly isolate: string;
  /** Sends a message to the other isolates; it may get lost. Must not throw. */
  readonly post: (message: ClusterMessage) => void;
  /** The rooms that are open here. */
  readonly rooms: ReadonlyMap<string, RoomPresence>;
  /** The last revision that this isolate has used, in any room. */
  readonly revision: () => number;
  /** Milliseconds between two heartbeats. @default {2000} */
  readonly heartbeatMs?: number;
  /** Milliseconds without a heartbeat after which an isolate is taken for dead. @default {7000} */
  readonly expiryMs?: number;
}

/** The cluster messages that are about presence. */
export type PresenceRelated =
  | PresenceChange
  | PresenceSnapshot
  | Heartbeat
  | PresenceRequest
  | Shutdown;

/**
 * Keeps what is known of the users of other isolates right, over a fan-out that loses messages.
 *
 * Changes are sent at once, each with the revision before it, by isolate and room: where one is
 * missing, its isolate is asked for a snapshot. What gets lost without a later change is noticed by
 * the heartbeats after it, and by the rooms, which say every 30 s what they know. An isolate that is
 * not heard for a while is taken for dead, and its users leave.
 */
export class PresenceExchange {
  readonly #options: PresenceExchangeOptions;
  readonly #heartbeatMs: number;
  readonly #recent = new RecentChanges();
  readonly #peers = new Peers();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** When the others began to be heard; undefined where there are none. */
  #connectedAt: number | undefined;

  /** @param options The rooms, and how to reach the other isolates. */
  constructor(options: PresenceExchangeOptions) {
    this.#options = options;
    this.#heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
  }

  /** How many other isolates are heard. */
  get peerCount(): number {
    return this.#peers.size;
  }

  /** Whether other isolates are told and asked. */
  get isOn(): boolean {
    return this.#connectedAt !== undefined;
  }

  /** Starts the heartbeat; called once, if there are others. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#heartbeatMs);
    this.connected();
  }

  /** Makes this isolate known, and asks for all open rooms: the others can be reached from now on. */
  connected(): void {
    this.#connectedAt = performance.now();
    this.#beat({ asks: true });
    this.#requestAll();
  }

  /**
   * Asks the others for a room that has just been opened.
   *
   * @param name Its name.
   * @param room The room, in which nobody is known to be.
   */
  opened(name: string, room: RoomPresence): void {
    if (this.#connectedAt === undefined) return;
    const isolates = this.#peers.ids();
    // Those that have not been heard yet since this isolate can be reached.
    if (performance.now() - this.#connectedAt < ANSWER_MS) isolates.push("");
    if (isolates.length > 0) room.answers = new OpeningAnswers(isolates);
    this.#request(name, { isOpening: true });
  }

  /**
   * Tells the others of a change on this isolate.
   *
   * @param change The change.
   */
  changed(change: Omit<PresenceChange, "from" | "kind">): void {
    this.#recent.add(change.room, change.revision);
    this.#options.post({ kind: "presence", from: this.#options.isolate, ...change });
  }

  /**
   * Receives a message of another isolate.
   *
   * @param message The message.
   */
  receive(message: PresenceRelated): void {
    const { from } = message;
    if (message.kind === "shutdown") {
      this.#peers.shutDown(from);
      return this.#forget(from);
    }
    const heard = this.#peers.heard(from);
    if (heard === "gone") return;
    if (message.kind === "heartbeat") return this.#receiveHeartbeat(message, heard === "new");
    const users = this.#options.rooms.get(message.room);
    users?.heard(from);
    switch (message.kind) {
      case "presence_request":
        return this.#receiveRequest(message, users);
      case "presence":
        if (users && !users.change(message)) this.#ask(message.room, users, from);
        return;
      case "presence_snapshot":
        if (users?.snapshot(message)) users.answers?.got(from);
        return;
    }
  }

  /**
   * Stops the heartbeat.
   *
   * @param options Whether the other isolates are told; otherwise they notice after a while.
   */
  close(options: { readonly goodbye: boolean }): void {
    clearInterval(this.#timer);
    if (options.goodbye) this.#options.post({ kind: "shutdown", from: this.#options.isolate });
    this.#peers.clear();
  }

  #receiveHeartbeat({ from, revision, rooms, asks }: Heartbeat, isNew: boolean): void {
    if (asks) this.#beat({ asks: false });
    // It was not heard for a while, or this isolate was not: what it knew may have changed.
    if (isNew && revision > 0) this.#requestAll();
    for (const [room, revision] of rooms) {
      const users = this.#options.rooms.get(room);
      if (users?.isBehind(from, revision)) this.#ask(room, users, from);
    }
  }

  #receiveRequest(message: PresenceRequest, users: RoomPresence | undefined): void {
    const { isolate, post, revision: last } = this.#options;
    const { from, room, revision, known, isOpening, of } = message;
    if (of !== undefined && of !== isolate) return;
    if (isOpening) {
      users?.opened(from, revision);
      users?.answers?.got(from);
    } else if (users?.isBehind(from, revision)) this.#ask(room, users, from);
    const own = users?.revision ?? last();
    const isKnown = known.some(([id, at]) => id === isolate && at === own);
    // Who hears it without having the room open has nobody there, and may be waited for.
    if (isKnown && of === undefined) return;
    const there = users?.localUsers() ?? [];
    const local = there.map((user) => users!.local(user));
    const what = { room, revision: own, users: there, ...rowsOf(local), part: 0, parts: 1 };
    post({ kind: "presence_snapshot", from: isolate, ...what });
  }

  #ask(room: string, users: RoomPresence, of: string): void {
    if (users.mayAsk(of)) this.#request(room, { of });
  }

  /** Asks for all rooms: for a few at once, for many with the next heartbeats. */
  #requestAll(): void {
    const { rooms } = this.#options;
    const now = performance.now();
    for (const [name, room] of rooms) {
      if (rooms.size <= AT_ONCE_MAX) this.#request(name);
      else room.nextAskAt = now + Math.random() * SPREAD_BEATS * this.#heartbeatMs;
    }
  }

  /** Says what is known of a room, so that those that know more answer. */
  #request(room: string, options: { readonly isOpening?: boolean; readonly of?: string } = {}) {
    const { isolate: from, post, rooms } = this.#options;
    const users = rooms.get(room)!;
    const { isOpening = false, of } = options;
    // Spread, so that rooms that were opened together do not ask together for ever.
    const wait = ASK_BEATS * this.#heartbeatMs * (0.75 + Math.random() / 4);
    if (of === undefined) users.nextAskAt = performance.now() + wait;
    const what = { room, revision: users.revision, known: [...users.known], isOpening, of };
    post({ kind: "presence_request", from, ...what });
  }

  /** Removes the users of an isolate that is gone. */
  #forget(isolate: string): void {
    for (const room of [...this.#options.rooms.values()]) room.forget(isolate);
  }

  #beat({ asks }: { readonly asks: boolean }): void {
    const { isolate: from, post, revision } = this.#options;
    post({ kind: "heartbeat", from, revision: revision(), rooms: this.#recent.list(), asks });
  }

  #tick(): void {
    this.#beat({ asks: false });
    this.#recent.told();
    const expired = this.#peers.expire(this.#options.expiryMs ?? EXPIRY_MS);
    for (const isolate of expired) this.#forget(isolate);
    if (this.#peers.size === 0) return;
    const now = performance.now();
    const silenceMs = SILENT_ASKS * ASK_BEATS * this.#heartbeatMs;
    for (const [name, room] of this.#options.rooms) {
      if (room.nextAskAt > now) continue;
      for (const isolate of room.silent(silenceMs)) this.#ask(name, room, isolate);
      this.#request(name);
    }
  }
}

/** What is said of users, in their order; nothing where nothing is. */
function rowsOf(users: readonly PresentUser[]): Pick<PresenceSnapshot, "moderators" | "names"> {
  const names = users.map(({ name }) => name ?? null);
  const moderators = users.map(({ isModerator }) => isModerator ?? false);
  return {
    ...(names.some((name) => name !== null) && { names }),
    ...(moderators.includes(true) && { moderators }),
  };
}
