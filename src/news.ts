/**
 * Who came and who went, told to those who are there.
 *
 * @module
 */

import { Frame } from "./frame.ts";
import { encodeEnvelope, type PresenceEnvelope } from "./protocol.ts";
import type { Seat } from "./seat.ts";

/** Members up to which a room is told at once: with more, such news are gathered. */
const GATHER_FROM = 20;
/** Milliseconds without news after which gathered ones are told. */
const QUIET_MS = 100;
/** How often that may be waited for. */
const QUIET_MAX = 10;
/**
 * Envelopes that are sent in one turn of the event loop. Telling n members of n arrivals takes n²:
 * in one go it would hold everybody's messages up, and all of it would wait in memory.
 */
const SLICE = 500;
/** Turns that the next slice waits for the last one to go out: a member may have stopped reading. */
const BEHIND_MAX = 5;

/** A round of telling: what, and whom. */
interface Round {
  /** When the first of it happened, in steps of {@linkcode News.now}. */
  readonly from: number;
  readonly envelopes: readonly string[];
  /** All of it as one text, and where each envelope begins there. */
  readonly lines: string;
  readonly offsets: readonly number[];
  /** For whoever was there before all of it. */
  readonly forMost: Frame;
  readonly seats: readonly Seat[];
  next: number;
}

/** Whom news are for. */
export interface NewsOptions {
  /** Everybody who is here now. What is returned stays as it is. */
  readonly seats: () => readonly Seat[];
  /** When a seat was taken, in steps of {@linkcode News.now}; undefined where it is not taken. */
  readonly since: (seat: Seat) => number | undefined;
}

/**
 * Tells the members of a room who came and who went. In a small room at once; in a large one news
 * are gathered until there are none for a moment, and told little by little, each seat in the order
 * in which they happened. Nobody is told of what they knew when they joined, themselves included.
 */
export class News {
  readonly #options: NewsOptions;
  #now = 0;
  #envelopes: string[] = [];
  /** How many there were when it was last looked whether more come, and how often it was. */
  #seen = 0;
  #looks = 0;
  /** Who was told last, and for how many turns it has been waited for. */
  #lastTold: Seat | undefined;
  #turnsBehind = 0;
  #round: Round | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins without news.
   *
   * @param options Whom they are for.
   */
  constructor(options: NewsOptions) {
    this.#options = options;
  }

  /** How many news there have been: what a seat that is taken now knows. */
  get now(): number {
    return this.#now;
  }

  /**
   * Takes note that somebody came or went.
   *
   * @param user Who.
   * @param status Which of the two.
   */
  add(user: string, status: "joined" | "left"): void {
    const envelope: PresenceEnvelope = { type: "presence", payload: { user, status } };
    this.#envelopes.push(encodeEnvelope(envelope));
    this.#now++;
    if (this.#timer !== undefined) return;
    if (this.#options.seats().length <= GATHER_FROM) return this.#tell();
    this.#tellLater(QUIET_MS);
  }

  /** Forgets what was not told yet. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#envelopes = [];
    this.#round = undefined;
  }

  #tellLater(wait: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#mustWait()) this.#tellLater(this.#round ? 0 : QUIET_MS);
      else this.#tell();
    }, wait);
  }

  /** Whether the last slice has not gone out yet, or news still come in quickly. */
  #mustWait(): boolean {
    if (this.#round) return !!this.#lastTold?.isBehind && this.#turnsBehind++ < BEHIND_MAX;
    const count = this.#envelopes.length;
    const isQuiet = count === this.#seen;
    this.#seen = count;
    return !isQuiet && this.#looks++ < QUIET_MAX;
  }

  #tell(): void {
    const round = this.#round ??= this.#begin();
    this.#turnsBehind = 0;
    let left = SLICE;
    while (left > 0 && round.next < round.seats.length) {
      left -= this.#tellOne(round.seats[round.next++], round);
    }
    if (round.next === round.seats.length) this.#round = this.#lastTold = undefined;
    if (this.#round) this.#tellLater(0);
    else if (this.#envelopes.length > 0) this.#tellLater(QUIET_MS);
  }

  #begin(): Round {
    const envelopes = this.#envelopes;
    this.#envelopes = [];
    this.#seen = this.#looks = 0;
    const offsets: number[] = [];
    let offset = 0;
    for (const { length } of envelopes) {
      offsets.push(offset);
      offset += length + 1;
    }
    const forMost = new Frame(envelopes, { ephemeral: true });
    return {
      from: this.#now - envelopes.length,
      envelopes,
      lines: forMost.lines,
      offsets,
      forMost,
      seats: this.#options.seats(),
      next: 0,
    };
  }

  /** Tells one seat, and returns how many envelopes that took. */
  #tellOne(seat: Seat, { from, envelopes, lines, offsets, forMost }: Round): number {
    const since = this.#options.since(seat);
    if (since === undefined) return 0;
    const first = Math.max(0, since - from);
    if (first >= envelopes.length) return 0;
    // Parts of one text: in a rush to a large room every seat has a frame of its own.
    const frame = first === 0 ? forMost : new Frame(envelopes.slice(first), {
      ephemeral: true,
      lines: lines.slice(offsets[first]),
    });
    if (!seat.isBehind) this.#lastTold = seat;
    seat.send(frame);
    return frame.envelopes.length;
  }
}
