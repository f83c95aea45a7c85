/**
 * Those who join a room, until they are live.
 *
 * @module
 */

import type { Audience } from "./audience.ts";
import { Frame } from "./frame.ts";
import { CLOSE_CODES, encodeEnvelope, HISTORY_DEFAULT } from "./protocol.ts";
import { canReplay, type ReplayOptions, replayPage } from "./replay.ts";
import type { RoomContext } from "./room_context.ts";
import type { Seat } from "./seat.ts";
import type { Tail } from "./tail.ts";

/** What a member asks for when it joins. */
export interface JoinOptions {
  /** Resume after this cursor. */
  readonly after?: string;
  /** Messages of history for a newcomer. @default {10} */
  readonly history?: number;
}

/** What {@linkcode Newcomers} join. */
export interface NewcomersOptions {
  /** The room, which goes on delivering meanwhile. */
  readonly room: ReplayOptions["room"] & {
    /** Whether its tail has been read. */
    readonly isOpen: boolean;
    /** Reads the tail, once. */
    open(): Promise<void>;
  };
  /** The room's newest records. */
  readonly tail: Tail;
  /** Who is live. */
  readonly audience: Audience;
  /** The log, and who hears where it cannot be read. */
  readonly context: Pick<RoomContext, "limits" | "log" | "logger" | "metrics">;
  /** Hears that one waits no longer. */
  readonly onSettled: () => void;
}

/**
 * Gives each of those who join a room what it missed, or some history; then `joined`; then a place
 * in the audience. The last step happens within one turn of the event loop: nothing can fall
 * between what was and what comes.
 *
 * @example What a newcomer gets, in one frame
 * ```ts
 * import { Hub, RoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new RoomLog(kv));
 * await hub.publish("lobby", "ann", { text: "hello" });
 * const seat = hub.join("lobby", {
 *   user: "bob",
 *   send: ({ envelopes }) => console.log(envelopes.map((text) => JSON.parse(text).type)),
 *   close() {},
 * }, { history: 10 });
 * await seat.joined; // ["chat_message", "joined"]
 * ```
 */
export class Newcomers {
  readonly #options: NewcomersOptions;
  /** Who waits for its history, and some who are live since this turn of the event loop. */
  readonly #waiting = new Set<Seat>();
  #isDismissed = false;

  /** @param options What they join. */
  constructor(options: NewcomersOptions) {
    this.#options = options;
  }

  /** How many are on their way in. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Takes one in. In an open room all of it happens before this returns, but for a resume from
   * before the tail.
   *
   * @param seat Its seat.
   * @param options From where, or how much history.
   * @returns Settles when it is live, or is gone. Never rejects.
   */
  take(seat: Seat, options: JoinOptions): Promise<void> {
    const { room, context: { logger, metrics }, onSettled } = this.#options;
    this.#waiting.add(seat);
    return this.#admit(seat, options).catch((error) => {
      metrics.readFailures++;
      logger("error", "join_failed", { room: room.name, error });
      seat.refuse({ code: "unavailable", message: "The room could not be read" });
      seat.expel(CLOSE_CODES.internalError.code, "The room could not be read");
    }).finally(() => {
      this.#waiting.delete(seat);
      onSettled();
    });
  }

  /**
   * Lets nobody in any more.
   *
   * @returns Who still waits for its history.
   */
  dismiss(): readonly Seat[] {
    this.#isDismissed = true;
    return [...this.#waiting].filter((seat) => seat.state === "joining");
  }

  async #admit(seat: Seat, options: JoinOptions): Promise<void> {
    const { room, tail, audience, context: { log } } = this.#options;
    if (!room.isOpen) await room.open();
    let { after } = options;
    const isGone = () => seat.state === "left" || this.#isDismissed;
    const source = { room, tail, log };
    if (after !== undefined && !this.#reaches(after) && !await canReplay(after, source)) {
      after = undefined;
    }
    while (after !== undefined && !isGone() && !this.#reaches(after)) {
      after = await replayPage(seat, after, source);
    }
    if (isGone()) return;
    // From here on nothing waits.
    const records = after === undefined
      ? tail.last(options.history ?? HISTORY_DEFAULT)
      : tail.after(after);
    const kept = records.filter((record) => log.keeps(record));
    const recovered = options.after === undefined || after !== undefined;
    audience.add(seat, () => {
      const envelopes = kept.map((record) => record.envelope);
      envelopes.push(this.#welcome(seat, recovered));
      return new Frame(envelopes);
    });
    seat.goLive();
  }

  #reaches(cursor: string): boolean {
    return cursor === this.#options.room.cursor || this.#options.tail.has(cursor);
  }

  #welcome(seat: Seat, recovered: boolean): string {
    const { room: { name: room, cursor }, audience, context: { limits } } = this.#options;
    const { user = "" } = seat;
    const users = audience.users();
    const typing = audience.typingUsers().filter((other) => other !== user);
    const payload = { room, user, cursor, recovered, users, typing, limits };
    return encodeEnvelope({ type: "joined", payload });
  }
}
