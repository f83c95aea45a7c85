/**
 * The hub: rooms by name, from the first member to the drain.
 *
 * @module
 */

import { monotonicUlid } from "@std/ulid/monotonic-ulid";
import { Cluster } from "../cluster/cluster.ts";
import type { Presence } from "../cluster/presence.ts";
import type { ChangeDraft, Draft, Limits, RoomState } from "../protocol/mod.ts";
import type { RoomLog } from "../store/room_log.ts";
import { Guard } from "../telemetry/guard.ts";
import { jsonLogger } from "../telemetry/logger.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { HeldBytes } from "./append_pacer.ts";
import { type Commits, createCommits } from "./commits.ts";
import { sendAway } from "./drain.ts";
import { drainHub } from "./hub_drain.ts";
import { createHubPresence } from "./hub_presence.ts";
import { checkDraft, checkNames } from "./checked_names.ts";
import { EVERYWHERE } from "./everywhere.ts";
import { HubDeletions } from "./hub_deletions.ts";
import { HubSanctions } from "./hub_sanctions.ts";
import { Hooks } from "./hooks.ts";
import { checkHubOptions, type HubOptions } from "./hub_options.ts";
import type { JoinOptions } from "./joining.ts";
import type { Member, Subscription } from "./member.ts";
import { type Moderation, moderationOf } from "./moderation.ts";
import { OpeningGate } from "./opening_gate.ts";
import type { ChangeOptions, ChangeResult } from "./publish_result.ts";
import type { PublishOptions, PublishResult } from "./publish_result.ts";
import { Room } from "./room.ts";
import type { RoomOptions } from "./room_options.ts";
import { ReadMarks } from "./read_marks.ts";
import type { Read } from "./user_marks.ts";
import { readRoomState } from "./room_state.ts";
import { RoomTable } from "./room_table.ts";
import { StatusFrames } from "./status_frames.ts";
import { reportStoreEvent } from "./store_report.ts";
import { createTimestamps } from "./timestamps.ts";
import { createWentBack } from "./went_back.ts";

/**
 * Stops a hub at once, as if its isolate had died: nothing is stored any more, and nobody is told.
 * For tests of what happens to the others; no door of the package shows it.
 *
 * @internal
 * @param hub The hub.
 */
export let killHub: (hub: Hub) => void;

/**
 * Rooms by name. Every message is stored in the log before anyone sees it, and every member of a
 * room sees the log's order. Several hubs, on any number of machines, may use the same log.
 *
 * @example
 * ```ts
 * import { type EnvelopeBatch, Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * const member = {
 *   user: "ann",
 *   send: (batch: EnvelopeBatch) => console.log(batch.lines),
 *   close: (code: number, reason: string) => console.log(code, reason),
 * };
 * const subscription = hub.join("lobby", member, { history: 10 });
 * subscription.publish({ text: "hello" });
 * const result = await hub.publish("lobby", "bob", { text: "hello, ann" });
 * console.log(result.status); // stored
 * subscription.leave();
 * ```
 */
export class Hub {
  /** What members may do. */
  readonly limits: Limits;
  /** The counters. */
  readonly metrics: Metrics;
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** Mutes, bans and kicks. */
  readonly sanctions: HubSanctions;
  /** Deletes rooms, and erases users. */
  readonly deletions: HubDeletions;
  /** @internal How far users have read their rooms. */
  readonly reads: ReadMarks;
  readonly #guard: Guard;
  readonly #commits: Commits;
  readonly #rooms: RoomTable;
  readonly #presence: Presence;
  readonly #moderation: Moderation | undefined;
  /** The other isolates; undefined for a hub that is alone. */
  readonly #cluster: Cluster | undefined;
  /** Ends the upkeep of the store. */
  readonly #detach: () => Promise<void>;
  #isDraining = false;
  #draining: Promise<void> | undefined;

  /**
   * Creates a hub without rooms.
   *
   * @param log The rooms' logs.
   * @param options What members may do, and what the hub is connected to.
   * @throws {TypeError} Where an option is of the wrong type, or two contradict each other.
   * @throws {RangeError} Where a number is out of its range.
   */
  constructor(log: RoomLog, options: HubOptions = {}) {
    [this.limits, this.log] = [checkHubOptions(options), log];
    const metrics = this.metrics = options.metrics ?? new Metrics();
    const guard = this.#guard = new Guard({ logger: options.logger ?? jsonLogger(), metrics });
    const { alone = false, commitInTurn, expiryMs, fanout, heartbeatMs, now } = options;
    this.#moderation = moderationOf(options, { limits: this.limits, guard, metrics });
    const isolate = crypto.randomUUID();
    const rooms: RoomTable = this.#rooms = new RoomTable((name, onIdle) => {
      return new Room(name, forRooms, onIdle);
    }, (name) => this.#presence.closeRoom(name));
    const onOpen = () => this.#cluster?.setInterest(EVERYWHERE, true);
    this.sanctions = new HubSanctions({ rooms, log, onOpen });
    this.deletions = new HubDeletions({ rooms, log, guard, metrics });
    const post = (read: Read) => this.#cluster?.post({ kind: "read", from: isolate, ...read });
    this.reads = new ReadMarks({ log, guard, post });
    this.#detach = log.attach((event) => reportStoreEvent(event, guard.logger, metrics));
    const onWentBack = createWentBack({ rooms, commits: () => this.#commits, guard, metrics });
    const commits = this.#commits = createCommits({
      log,
      guard,
      metrics,
      findRoom: (name) => rooms.find(name),
      others: () => this.#cluster,
      onWentBack,
      inTurn: commitInTurn,
    });
    const cluster = () => this.#cluster;
    const forPresence = { isolate, rooms, cluster, heartbeatMs, expiryMs };
    const presence = this.#presence = createHubPresence(forPresence);
    const forRooms: RoomOptions = {
      log,
      commits,
      held: new HeldBytes(),
      statusFrames: new StatusFrames(),
      everywhere: this.sanctions.everywhere,
      opening: new OpeningGate({ commit: () => commits.inFlight() }),
      presence,
      isolate,
      alone,
      onWentBack,
      onDeleted: (name) => rooms.delete(name),
      post: (message) => this.#cluster?.post(message),
      limits: this.limits,
      guard,
      metrics,
      moderation: this.#moderation,
      hooks: new Hooks(options, guard),
      createId: monotonicUlid,
      timestamp: createTimestamps(now ?? Date.now),
      isDraining: () => this.#isDraining,
      recentTotal: { length: 0 },
    };
    if (alone) return;
    this.#cluster = new Cluster({ ...forRooms, rooms, fanout, onRead: this.reads.receive });
    this.#cluster.start();
  }

  static {
    killHub = (hub) => {
      hub.#isDraining = true;
      hub.#rooms.dismiss();
      hub.reads.close();
      void hub.#cluster?.close({ goodbye: false });
      void hub.#detach();
    };
  }

  /** How many rooms are in memory. */
  get roomCount(): number {
    return this.#rooms.size;
  }

  /** How other isolates on the same logs are reached. */
  get reach(): "alone" | "database" | "fanout" {
    return this.#cluster?.reach ?? "alone";
  }

  /** Whether the fan-out reaches the others, as far as it knows; undefined where there is none. */
  get isFanoutConnected(): boolean | undefined {
    return this.#cluster?.isConnected;
  }

  /** How many other isolates are heard; 0 without a fan-out. */
  get peerCount(): number {
    return this.#presence.peerCount;
  }

  /** Whether the hub has begun to stop. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * Lets a member join a room: it gets the history, then `joined`, then what is live.
   *
   * @param room The room's name.
   * @param member The member.
   * @param options From where, or how much history.
   * @returns The subscription at once; its `joined` settles when the member is live.
   * @throws {TypeError} Where the room or the user has a name that the protocol refuses.
   */
  join(room: string, member: Member, options: JoinOptions = {}): Subscription {
    checkNames("join", room, member.user);
    const subscription = this.#rooms.obtain(room).join(member, options);
    if (this.#isDraining) sendAway(subscription, 1);
    return subscription;
  }

  /** @internal Keeps a room in memory, for `using`. */
  hold(room: string): Disposable {
    return this.#rooms.obtain(room).hold();
  }

  /**
   * Publishes a message of a user who need not be a member of the room.
   *
   * @param room The room's name.
   * @param user The user that sends it.
   * @param draft The message.
   * @param options What is known of the user and of the message.
   * @returns The result, once it is stored or refused.
   * @throws {TypeError} Where the protocol refuses one of them; a text may be longer than members'.
   * @throws Whatever the store rejects with where the room cannot be read.
   */
  async publish(
    room: string,
    user: string,
    draft: Draft,
    options: PublishOptions = {},
  ): Promise<PublishResult> {
    checkNames("publish to", room, user);
    checkDraft(room, draft);
    return await this.#rooms.obtain(room).publish({ user, draft, ...options });
  }

  /**
   * Edits, deletes or reacts to a message for a user who need not be a member of the room.
   *
   * @param room The room's name.
   * @param user The user that makes the change.
   * @param draft The change.
   * @param options What the user may do in the room.
   * @returns The result, once it is stored or refused.
   * @throws {TypeError} Where the room or the user has a name that the protocol refuses.
   */
  async change(
    room: string,
    user: string,
    draft: ChangeDraft,
    { role = "member", isPast }: ChangeOptions = {},
  ): Promise<ChangeResult> {
    checkNames("change a message of", room, user);
    return await this.#rooms.obtain(room).change({ user, role, draft, isPast });
  }

  /**
   * The state of a room.
   *
   * @param room The room's name.
   * @returns Where it stands and who is in it, also where it is not in memory.
   * @throws {TypeError} Where the room has a name that the protocol refuses.
   * @throws Whatever the store rejects with where the room cannot be read.
   */
  async roomState(room: string): Promise<RoomState> {
    checkNames("read the state of", room);
    const parts = { rooms: this.#rooms, presence: this.#presence, log: this.log };
    return await readRoomState(room, parts);
  }

  /**
   * Stops: accepts no more messages, stores what was accepted, notifies the members and closes their
   * connections. A second call waits for the first.
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

  async #drain(): Promise<void> {
    this.#isDraining = true;
    const [rooms, presence, detach] = [this.#rooms, this.#presence, this.#detach];
    const [cluster, { logger }] = [this.#cluster, this.#guard];
    const steps = [this.#moderation, this.#commits, this.reads];
    await drainHub({ rooms, steps, cluster, presence, detach, logger });
  }
}
