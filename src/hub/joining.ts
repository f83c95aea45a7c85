/**
 * How members join a room.
 *
 * @module
 */

import { HISTORY_DEFAULT, type Limits } from "../protocol/mod.ts";
import type { Problem, RoomRole } from "../protocol/mod.ts";
import { ORIGIN } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import type { ErasedUsers } from "../store/erased_users.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { DeduplicationWindow } from "./deduplication_window.ts";
import { joinedOf } from "./joined_envelope.ts";
import { UNDECIDED } from "./member_problems.ts";
import type { MessageTexts } from "./message_batch.ts";
import type { OpeningGate } from "./opening_gate.ts";
import type { Erasures } from "./erasures.ts";
import { merge, type RecentChanges } from "./recent_changes.ts";
import type { RecentMessages } from "./recent_messages.ts";
import { firstPage, lastPage } from "./message_page.ts";
import { canRecover, recoverPage } from "./recovery.ts";
import type { RoomHolds } from "./room_holds.ts";
import type { RoomReads } from "./room_reads.ts";
import type { Subscribers } from "./subscribers.ts";
import type { RoomSubscription } from "./subscription.ts";

/** What a member asks for when it joins. */
export interface JoinOptions {
  /** The cursor to resume after. @default {undefined} as a newcomer */
  readonly after?: string;
  /** Messages of history for a newcomer. @default {10} */
  readonly history?: number;
  /**
   * Whether the member is shown as here, and told who else is and who types.
   *
   * @default {true}
   */
  readonly presence?: boolean;
  /**
   * What the member may do, or a promise of it; `none` refuses the join. What the member sends
   * meanwhile waits.
   *
   * @default {"member"}
   */
  readonly role?: RoomRole | Promise<RoomRole>;
}

/** The room that {@linkcode Joining} lets members join, which goes on delivering meanwhile. */
export interface JoinedRoom {
  /** Its name. */
  readonly name: string;
  /** The place up to which everything has been delivered. */
  readonly cursor: string;
  /** Reads the recent messages, once, for whom the key says, unless all give up before its turn. */
  open(key: string, isGivenUp: () => boolean): Promise<void> | undefined;
  /** Gives the display name of a user who is there. */
  nameOf(user: string): string | undefined;
  /** Tells what keeps a member from being there. */
  banOf(subscription: RoomSubscription): Problem | undefined;
  /** Has the users on other isolates known; undefined where they are. Never rejects. */
  openPresence(): Promise<void> | undefined;
  /** Reads what duplicates are recognised by, once. */
  fillWindow(): Promise<void> | undefined;
  /** Reads the log on from the cursor. Never rejects. */
  catchUp(): Promise<void>;
  /** The users here, and those that are typing, both sorted. */
  users(): string[];
  typingUsers(): string[];
}

/** How {@linkcode Joining} behaves. */
export interface JoiningOptions {
  /** The room. */
  readonly room: JoinedRoom;
  /** Its newest records. */
  readonly recent: RecentMessages;
  /** Its newest changes. */
  readonly changes: RecentChanges;
  /** The users that are being erased. */
  readonly erased: ErasedUsers;
  /** Done to deleted messages that a recovery finds. */
  readonly erasures: Erasures;
  /** Recognises duplicates. */
  readonly window: Pick<DeduplicationWindow, "hides">;
  /** Encodes messages for members of protocol 2. */
  readonly texts: MessageTexts;
  /** Its live subscriptions. */
  readonly subscribers: Subscribers;
  /** How far its members have read it. */
  readonly reads: RoomReads;
  /** Limits how many pages are read for members at a time. */
  readonly opening: OpeningGate;
  /** Keeps the room while a member joins. */
  readonly holds: RoomHolds;
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** What members may do. */
  readonly limits: Limits;
  /** Receives operational events. Must not throw. */
  readonly logger: Logger;
  /** The hub's counters. */
  readonly metrics: Metrics;
  /** Called where the database was put back to an earlier state. */
  readonly onWentBack: () => void;
}

/**
 * Sends each member that joins a room what it missed, or some history; then `joined`; then adds it
 * to the subscribers. The last step happens within one turn of the event loop: nothing can fall
 * between what was and what comes.
 *
 * @example What a newcomer gets, in one batch
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * await hub.publish("lobby", "ann", { text: "hello" });
 * const subscription = hub.join("lobby", {
 *   user: "bob",
 *   send: ({ envelopes }) => console.log(envelopes.map((text) => JSON.parse(text).type)),
 *   close() {},
 * }, { history: 10 });
 * await subscription.joined; // ["chat_message", "joined"]
 * ```
 */
export class Joining {
  readonly #options: JoiningOptions;
  /** Those that wait for their history, and some that are live since this turn of the event loop. */
  readonly #waiting = new Set<RoomSubscription>();
  #isDismissed = false;

  /** @param options The room that members join. */
  constructor(options: JoiningOptions) {
    this.#options = options;
  }

  /**
   * Lets a member join. In an open room all of it happens before this returns, but for a resume from
   * before the recent messages.
   *
   * @param subscription The member's subscription.
   * @param options From where, or how much history.
   * @returns Settles when the member is live, or has left. Never rejects.
   */
  async join(subscription: RoomSubscription, options: JoinOptions): Promise<void> {
    const { room, holds, logger, metrics } = this.#options;
    using _hold = holds.take();
    this.#waiting.add(subscription);
    try {
      if (typeof options.role === "object") await this.#decide(subscription, options.role);
      else this.#setRole(subscription, options.role ?? "member");
      await this.#join(subscription, options);
    } catch (error) {
      metrics.readFailures++;
      logger("error", "join_failed", { room: room.name, error });
      subscription.refuseJoin({ code: "unavailable", message: "The room could not be read" });
    } finally {
      this.#waiting.delete(subscription);
    }
  }

  /**
   * Lets nobody join any more.
   *
   * @returns The subscriptions that wait for their history.
   */
  dismiss(): readonly RoomSubscription[] {
    this.#isDismissed = true;
    return this.waiting();
  }

  /** The subscriptions that wait for their history. */
  waiting(): readonly RoomSubscription[] {
    return [...this.#waiting].filter(({ state }) => state === "joining");
  }

  async #decide(subscription: RoomSubscription, role: Promise<RoomRole>): Promise<void> {
    try {
      this.#setRole(subscription, await role);
    } catch {
      // Who gave it has logged why.
      subscription.refuseJoin(UNDECIDED);
    }
  }

  #setRole(subscription: RoomSubscription, role: RoomRole): void {
    if (role !== "none") return subscription.setFirstRole(role);
    const message = `This room is not open to "${subscription.user}"`;
    subscription.refuseJoin({ code: "forbidden", message });
  }

  async #join(subscription: RoomSubscription, options: JoinOptions): Promise<void> {
    const { room, recent, subscribers, log, texts } = this.#options;
    const isGone = () => subscription.state === "left" || this.#isDismissed;
    // It may have been refused, or waited for its role.
    if (isGone()) return;
    const key = subscription.member.address ?? room.name;
    const known = room.openPresence();
    const opened = room.open(key, isGone);
    if (opened) await opened;
    if (isGone()) return;
    // What was read holds duplicates, of which only the whole window knows what they repeat.
    const filled = room.fillWindow();
    if (filled) await filled;
    if (isGone()) return;
    const ban = room.banOf(subscription);
    if (ban) return subscription.refuseJoin(ban);
    if (known) await known;
    let { after } = options;
    const source = { ...this.#options, key };
    if (after !== undefined && !this.#reaches(after) && !await canRecover(after, source)) {
      after = undefined;
    }
    const recovered = options.after === undefined || after !== undefined;
    const wanted = Math.min(options.history ?? HISTORY_DEFAULT, HISTORY_DEFAULT);
    if (after === undefined && recent.isShortOf(wanted)) {
      after = await this.#placeBefore(wanted, key);
    }
    while (!isGone()) {
      const wait = subscription.member.ready?.();
      if (wait) await wait;
      else if (after === undefined) break;
      else if (!this.#reaches(after)) {
        // Where it waited it may have fallen behind the recent messages only now.
        after = await recoverPage(subscription, after, source);
      } else {
        const missed = this.#after(after);
        const page = firstPage(missed);
        // The last page goes out together with `joined`.
        if (page.length === missed.length) break;
        subscription.send(texts.batchOf(page));
        after = page[page.length - 1].cursor;
        await subscription.member.drained?.();
      }
    }
    if (isGone()) return;
    // From here on nothing waits.
    const records = after === undefined
      ? lastPage(recent.last(options.history ?? HISTORY_DEFAULT), { min: HISTORY_DEFAULT })
      : this.#after(after);
    const kept = records.filter((record) => record.change || log.keeps(room.name, record));
    const { limits, reads } = this.#options;
    const read = reads.placeOf(subscription);
    const last = joinedOf(subscription, { room, limits, read, recovered });
    subscribers.add(subscription, texts.batchOf(kept, { last }));
    reads.enter(subscription);
    subscription.goLive();
  }

  /**
   * The place before the history of a newcomer, where that is no longer in memory: rooms keep little
   * while all of them together keep too much.
   */
  async #placeBefore(count: number, key: string): Promise<string> {
    const { room, opening, log } = this.#options;
    const options = { limit: count + 1, shownOnly: true };
    const last = await opening.runPage(key, () => log.last(room.name, options));
    return last.length > count ? last[0].cursor : ORIGIN;
  }

  #reaches(cursor: string): boolean {
    const { room, recent, changes } = this.#options;
    if (cursor === room.cursor) return true;
    return (recent.has(cursor) || (changes.has(cursor) && recent.covers(cursor))) &&
      changes.covers(cursor);
  }

  /** What a member missed: messages as they are now, and changes of those that it has. */
  #after(cursor: string): readonly LogRecord[] {
    const { recent, changes } = this.#options;
    return merge(recent.after(cursor), changes.after(cursor));
  }
}
