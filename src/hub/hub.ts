/**
 * The hub: rooms by name, from the first member to the drain.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import { monotonicUlid } from "@std/ulid/monotonic-ulid";
import { createCommits } from "./commits.ts";
import type { Fanout } from "../cluster/fanout.ts";
import { EnvelopeBatch } from "./envelope_batch.ts";
import type { GroupCommit } from "../store/group_commit.ts";
import type { RoomLog } from "../store/room_log.ts";
import { guardLogger, jsonLogger, type Logger } from "../telemetry/logger.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { FlushTracker } from "./flush_tracker.ts";
import type { Moderate } from "./moderation.ts";
import type { JoinOptions } from "./joining.ts";
import type { PublishResult, RoomAppend } from "./pending_messages.ts";
import { Cluster } from "../cluster/cluster.ts";
import {
  CLOSE_CODES,
  decodeDraft,
  decodeRoom,
  decodeUser,
  encodeEnvelope,
} from "../protocol/mod.ts";
import {
  type Draft,
  type Limits,
  TEXT_MAX_BYTES_DEFAULT,
  TYPING_TIMEOUT_MS,
} from "../protocol/mod.ts";
import { Room } from "./room.ts";
import type { RoomContext } from "./room_context.ts";
import type { Member, Subscription } from "./subscription.ts";

/** Milliseconds over which drained members are asked to come back, and more for each of them. */
const RECONNECT_SPREAD_MS = 1_000;
const RECONNECT_SPREAD_MS_PER_MEMBER = 5;
const RECONNECT_SPREAD_MAX_MS = 30_000;
/** Milliseconds that a drain waits for storage: Deno Deploy kills after 5 s. */
const DRAIN_COMMIT_MS = 2_500;

/** How {@linkcode Hub} behaves. */
export interface HubOptions {
  /** What members may do; what is left out has its default. */
  readonly limits?: Partial<Limits>;
  /** Takes what an operator should know. @default {jsonLogger()} */
  readonly logger?: Logger;
  /** What is counted. @default {new Metrics()} */
  readonly metrics?: Metrics;
  /** Judges each message before it is stored. @default {undefined} all are stored as they are */
  readonly moderate?: Moderate;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
  /** How to reach the other isolates on the same logs. @default {undefined} there are none */
  readonly fanout?: Fanout;
  /**
   * Whether other isolates append to the same logs. Every append is then read back, and the
   * database is watched for what the fan-out loses.
   *
   * @default {true} where a fan-out is given
   */
  readonly shared?: boolean;
  /**
   * Whether the isolates of this process commit in turn (by a Web Lock, where the runtime has
   * them): those that write one SQLite file would otherwise sleep in its busy handler.
   *
   * @default {false}
   */
  readonly commitInTurn?: boolean;
  /** Milliseconds between two signs of life to the other isolates. @default {2000} */
  readonly heartbeatMs?: number;
  /** Milliseconds without one after which another isolate is taken for dead. @default {7000} */
  readonly expiryMs?: number;
}

/** What a hub tells about a room. */
export interface RoomState {
  /** The room's name. */
  readonly room: string;
  /** The cursor of its newest message, also where nobody is in it. */
  readonly cursor: string;
  /** Who is here, sorted. */
  readonly users: readonly string[];
  /** Who is typing, sorted. */
  readonly typing: readonly string[];
}

/**
 * Rooms by name. Every message is stored in the log before anyone sees it, and every member of a
 * room sees the log's order.
 *
 * @example
 * ```ts
 * import { type EnvelopeBatch, Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * const member = {
 *   user: "ann",
 *   send: (frame: EnvelopeBatch) => console.log(frame.lines),
 *   close: (code: number, reason: string) => console.log(code, reason),
 * };
 * const subscription = hub.join("lobby", member, { history: 10 });
 * subscription.publish({ text: "hello" });
 * const outcome = await hub.publish("lobby", "bob", { text: "hello, ann" });
 * console.log(outcome.status); // stored
 * subscription.leave();
 * ```
 */
export class Hub {
  /** What members may do. */
  readonly limits: Limits;
  /** What is counted. */
  readonly metrics: Metrics;
  /** The rooms' logs. */
  readonly log: RoomLog;
  readonly #rooms = new Map<string, Room>();
  readonly #logger: Logger;
  readonly #context: RoomContext;
  readonly #commits: GroupCommit<RoomAppend>;
  /** The other isolates; undefined where there are none. */
  readonly #cluster: Cluster | undefined;
  #isDraining = false;
  #draining: Promise<void> | undefined;

  /**
   * Makes a hub without rooms.
   *
   * @param log The rooms' logs.
   * @param options What members may do, and who hears of events.
   */
  constructor(log: RoomLog, options: HubOptions = {}) {
    this.log = log;
    this.limits = {
      text_max_bytes: TEXT_MAX_BYTES_DEFAULT,
      typing_timeout_ms: TYPING_TIMEOUT_MS,
      messages_per_second: 20,
      message_burst: 40,
      ...options.limits,
    };
    this.metrics = options.metrics ?? new Metrics();
    this.#logger = guardLogger(options.logger ?? jsonLogger(), this.metrics);
    const flushes = new FlushTracker();
    this.#commits = createCommits({
      log,
      logger: this.#logger,
      metrics: this.metrics,
      flushes,
      findRoom: (name) => this.#rooms.get(name),
      inTurn: options.commitInTurn,
    });
    const isolate = crypto.randomUUID();
    this.#context = {
      log,
      commits: this.#commits,
      flushes,
      isolate,
      alone: !(options.shared ?? options.fanout !== undefined),
      limits: this.limits,
      logger: this.#logger,
      metrics: this.metrics,
      moderate: options.moderate,
      createId: monotonicUlid,
      now: options.now ?? Date.now,
      isDraining: () => this.#isDraining,
      post: (message) => this.#cluster?.post(message),
      setPresence: (room, user, status) => this.#cluster?.setPresence(room, user, status),
      onIdle: (room) => this.#forget(room),
    };
    if (this.#context.alone) return;
    this.#cluster = new Cluster({
      isolate,
      log,
      logger: this.#logger,
      metrics: this.metrics,
      rooms: {
        find: (name) => this.#rooms.get(name),
        obtain: (name) => this.#room(name),
        open: () => this.#openRooms(),
      },
      fanout: options.fanout,
      heartbeatMs: options.heartbeatMs,
      expiryMs: options.expiryMs,
    });
  }

  /** How many rooms are in memory. */
  get roomCount(): number {
    return this.#rooms.size;
  }

  /** How other isolates on the same logs are reached. */
  get reach(): "alone" | "database" | "fanout" {
    return this.#cluster?.reach ?? "alone";
  }

  /** How many other isolates are heard; 0 without a fan-out. */
  get peerCount(): number {
    return this.#cluster?.count ?? 0;
  }

  /** Whether the hub has begun to stop. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * Seats a member in a room: it gets the history, then `joined`, then what is live.
   *
   * @param room The room's name.
   * @param member Who joins.
   * @param options From where, or how much history.
   * @returns The subscription at once; its `joined` settles when the member is live.
   * @throws {TypeError} Where the room or the user has a name that the protocol refuses.
   */
  join(room: string, member: Member, options: JoinOptions = {}): Subscription {
    checkNames("join", room, member.user);
    const subscription = this.#room(room).join(member, options);
    if (this.#isDraining) this.#sendAway(subscription, 1);
    return subscription;
  }

  /**
   * Says something in a room without being a member of it.
   *
   * @param room The room's name.
   * @param user Who says it.
   * @param draft What.
   * @returns What became of it, once it is stored or refused.
   * @throws {TypeError} Where the room, the user or the draft is none that the protocol allows; a
   * text may be longer than members' may.
   * @throws Whatever KV rejects with where the room cannot be read.
   */
  async publish(room: string, user: string, draft: Draft): Promise<PublishResult> {
    checkNames("publish to", room, user);
    const decoded = decodeDraft(draft, { textMaxBytes: Infinity });
    if (!decoded.ok) {
      throw new TypeError(`Cannot publish to room "${room}": ${decoded.error.message}`);
    }
    const found = this.#room(room);
    return await found.use(() =>
      new Promise<PublishResult>((answer) => found.publish({ user, draft, answer }))
    );
  }

  /**
   * Tells where a room stands and who is in it.
   *
   * @param room The room's name.
   * @returns Its state, also where it is not in memory.
   * @throws {TypeError} Where the room has a name that the protocol refuses.
   * @throws Whatever KV rejects with where the room cannot be read.
   */
  async look(room: string): Promise<RoomState> {
    checkNames("look at", room);
    const found = this.#rooms.get(room);
    if (!found) {
      const users = new Set([...this.#cluster?.users(room) ?? []].map(([, user]) => user));
      return { room, cursor: await this.log.head(room), users: [...users].sort(), typing: [] };
    }
    return await found.use(() => ({
      room,
      cursor: found.cursor,
      users: found.subscribers.users(),
      typing: found.subscribers.typingUsers(),
    }));
  }

  /**
   * Stops: takes no more messages, stores what was taken, tells the members and lets them go.
   * A second call waits for the first.
   *
   * @returns Settles when every member was closed; after at most 2.5 s where storage hangs.
   */
  drain(): Promise<void> {
    return this.#draining ??= this.#drain();
  }

  /** Does the same as {@linkcode Hub.drain}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  /**
   * Stops at once: nothing is stored any more, and nobody is told. For tests of what happens to
   * the others when an isolate dies; everybody else wants {@linkcode Hub.drain}.
   */
  kill(): void {
    this.#isDraining = true;
    this.#close({ goodbye: false });
  }

  #close(options: { readonly goodbye: boolean }): void {
    this.#cluster?.close(options);
    for (const room of this.#rooms.values()) room.dismiss();
    this.#rooms.clear();
  }

  #room(name: string): Room {
    const known = this.#rooms.get(name);
    if (known) return known;
    const room = new Room(name, this.#context);
    for (const [isolate, user] of this.#cluster?.users(name) ?? []) {
      room.subscribers.remote(isolate, user, true);
    }
    this.#rooms.set(name, room);
    return room;
  }

  *#openRooms(): Generator<Room> {
    for (const room of this.#rooms.values()) if (room.isOpen) yield room;
  }

  #forget(name: string): void {
    const room = this.#rooms.get(name);
    if (!room?.isIdle) return;
    this.#rooms.delete(name);
    room.dismiss();
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    try {
      await deadline(this.#commits.idle(), DRAIN_COMMIT_MS);
    } catch (error) {
      this.#logger("error", "drain_incomplete", { error });
    }
    const subscriptions = [...this.#rooms.values()].flatMap((room) => room.dismiss());
    for (const subscription of subscriptions) this.#sendAway(subscription, subscriptions.length);
    this.#close({ goodbye: true });
  }

  #sendAway(subscription: Subscription, members: number): void {
    const spread = RECONNECT_SPREAD_MS + RECONNECT_SPREAD_MS_PER_MEMBER * members;
    const most = Math.min(RECONNECT_SPREAD_MAX_MS, spread);
    const payload = { reconnect_after_ms: Math.floor(Math.random() * most) };
    subscription.send(new EnvelopeBatch([encodeEnvelope({ type: "draining", payload })]));
    subscription.disconnect(CLOSE_CODES.draining.code, "The server is stopping");
  }
}

function checkNames(action: string, room: string, user?: string): void {
  const decoded = decodeRoom(room);
  if (!decoded.ok) throw new TypeError(`Cannot ${action} room "${room}": ${decoded.error.message}`);
  if (user === undefined) return;
  const named = decodeUser(user);
  if (named.ok && named.user === user) return;
  const why = named.ok ? `It should read "${named.user}"` : named.error.message;
  throw new TypeError(`Cannot ${action} room "${room}" as "${user}": ${why}`);
}
