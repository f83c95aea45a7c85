/**
 * The turns of the event loop in which work is begun.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/**
 * From how many that wait on there is a pause between turns, in milliseconds: the runtime comes to
 * what else is ready (61 tasks between two turns) only as fast as turns are short.
 */
const MANY = 32;
const PAUSE_MS = 3;
/** Turns that were taken, from which on the memory of their places is given back. */
const COMPACT_FROM = 1_000;

/** What waits of one key, oldest first, from `next` on. */
interface Lane {
  turns: WaitingTurn[];
  next: number;
}

/** A turn that has not come. */
export interface Turn {
  /** Settles when it has come, or was cancelled. Never rejects. */
  readonly begun: Promise<void>;
  /** Gives it up: nobody else waits behind it any more. */
  cancel(): void;
}

/** How a {@linkcode TurnScheduler} behaves. */
export interface TurnSchedulerOptions {
  /** How many may begin in one turn of the event loop. */
  readonly atOnce: number;
  /** Whether nothing of a key may begin now. @default {undefined} it always may */
  readonly isOver?: (key: string) => boolean;
  /** Called each time that something has to wait for that. @default {undefined} nothing is */
  readonly onHeld?: (key: string) => void;
}

interface WaitingTurn {
  readonly begin: () => void;
  isCancelled: boolean;
}

/**
 * Lets few requests or joins begin in each turn of the event loop, in rounds over those who ask:
 * an address that asks for a lot at once waits behind itself, and between two of them frames are read,
 * commits end, and members are sent what is theirs.
 *
 * @example
 * ```ts
 * import { TurnScheduler } from "./turn_scheduler.ts";
 *
 * const scheduler = new TurnScheduler({ atOnce: 2 });
 * await scheduler.turn("192.0.2.1");
 * console.log(scheduler.waiting); // 0
 * ```
 */
export class TurnScheduler {
  readonly #atOnce: number;
  readonly #isOver: (key: string) => boolean;
  readonly #onHeld: ((key: string) => void) | undefined;
  /** Lanes in which something waits, the next one first. */
  readonly #lanes = new Map<string, Lane>();
  #waiting = 0;
  #begun = 0;
  #isTurning = false;
  /** Whether all that wait have their share for now. */
  #isHeld = false;

  /** @param options How many may begin in one turn of the event loop, and who has to wait longer. */
  constructor({ atOnce, isOver = () => false, onHeld }: TurnSchedulerOptions) {
    this.#atOnce = atOnce;
    this.#onHeld = onHeld;
    this.#isOver = isOver;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Waits for a turn.
   *
   * @param key Who asks, such as an address.
   * @returns The turn; undefined where it has come at once.
   */
  turn(key: string): Turn | undefined {
    this.#arm();
    const isOver = this.#isOver(key);
    const isNext = this.#waiting === 0 || (this.#isHeld && !this.#lanes.has(key));
    if (isNext && this.#begun < this.#atOnce && !isOver) {
      this.#begun++;
      return undefined;
    }
    if (isOver) this.#onHeld?.(key);
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const turn: WaitingTurn = { begin, isCancelled: false };
    this.#waiting++;
    const lane = this.#lanes.get(key);
    if (lane) lane.turns.push(turn);
    else this.#lanes.set(key, { turns: [turn], next: 0 });
    return {
      begun,
      cancel: () => {
        if (!turn.isCancelled) this.#waiting--;
        turn.isCancelled = true;
        begin();
      },
    };
  }

  #arm(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    if (this.#waiting > MANY || this.#isHeld) setTimeout(() => this.#turn(), PAUSE_MS);
    else setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurning = this.#isHeld = false;
    for (this.#begun = 0; this.#begun < this.#atOnce && this.#waiting > 0; this.#begun++) {
      const turn = this.#take();
      if (!turn) {
        this.#isHeld = true;
        break;
      }
      turn.isCancelled = true;
      this.#waiting--;
      turn.begin();
    }
    if (this.#waiting === 0) this.#lanes.clear();
    if (this.#begun > 0 || this.#waiting > 0) this.#arm();
  }

  /**
   * Takes the oldest of the lane whose turn it is, which goes to the end of the round; lanes of those
   * who have their share are passed over.
   *
   * @returns The turn; undefined where all wait that have one.
   */
  #take(): WaitingTurn | undefined {
    for (const [key, lane] of this.#lanes) {
      if (this.#isOver(key)) continue;
      let turn: WaitingTurn | undefined;
      do turn = lane.turns[lane.next++]; while (turn?.isCancelled);
      this.#lanes.delete(key);
      if (lane.next >= COMPACT_FROM) [lane.turns, lane.next] = [lane.turns.slice(lane.next), 0];
      if (lane.next < lane.turns.length) this.#lanes.set(key, lane);
      if (turn) return turn;
    }
    return undefined;
  }
}
