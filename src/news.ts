/**
 * Who came and who went, told to those who are there.
 *
 * @module
 */

import { Frame } from "./frame.ts";
import { lastInTime, Outflow } from "./outflow.ts";
import { encodeEnvelope, type PresenceEnvelope } from "./protocol.ts";
import type { Seat } from "./seat.ts";

/** Members up to which a room is told at once: with more, such news are gathered. */
const GATHER_FROM = 20;
/** Milliseconds without news after which gathered ones are told. */
const QUIET_MS = 100;
/** How often that may be waited for. */
const QUIET_MAX = 10;
/** Envelopes in a frame: one that is much longer leaves each connection with a long buffer. */
const PER_FRAME = 16;
/**
 * Envelopes that are sent in one turn of the event loop. Telling n members of n arrivals takes n²:
 * in one go it would hold everybody's messages up, and all of it would wait in memory.
 */
const SLICE = 200;

/** A round of telling: what, and whom. */
interface Round {
  /** When the first of it happened, in steps of {@linkcode News.now}. */
  readonly from: number;
  readonly envelopes: readonly string[];
  /** All of it, for whoever was there before: {@linkcode PER_FRAME} envelopes in each but the last. */
  readonly frames: readonly Frame[];
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
  readonly #outflow = new Outflow();
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
    if (this.#timer !== undefined || this.#round) return;
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
      if (this.#round || this.#isLull()) this.#tell();
      else this.#tellLater(QUIET_MS);
    }, wait);
  }

  /** Whether no news have come since the last look, or they do not stop coming. */
  #isLull(): boolean {
    const isQuiet = this.#envelopes.length === this.#seen;
    this.#seen = this.#envelopes.length;
    return isQuiet || this.#looks++ === QUIET_MAX;
  }

  #tell(): void {
    const round = this.#round ??= this.#begin();
    for (let left = SLICE; left > 0 && round.next < round.seats.length;) {
      left -= this.#tellOne(round.seats[round.next++], round);
    }
    if (round.next === round.seats.length) this.#round = undefined;
    if (this.#round && this.#outflow.isBusy) void this.#goOn(this.#round);
    else if (this.#round) this.#tellLater(0);
    else if (this.#envelopes.length > 0) this.#tellLater(QUIET_MS);
  }

  /** Tells the next slice when the last one has gone out. */
  async #goOn(round: Round): Promise<void> {
    await this.#outflow.drained();
    if (this.#round === round) this.#tell();
  }

  #begin(): Round {
    const envelopes = this.#envelopes;
    this.#envelopes = [];
    this.#seen = this.#looks = 0;
    const frames: Frame[] = [];
    for (let i = 0; i < envelopes.length; i += PER_FRAME) {
      frames.push(frameOf(envelopes.slice(i, i + PER_FRAME)));
    }
    const from = this.#now - envelopes.length;
    return { from, envelopes, frames, seats: this.#options.seats(), next: 0 };
  }

  /** Tells one seat, and returns how many envelopes that took. */
  #tellOne(seat: Seat, { from, envelopes, frames }: Round): number {
    const since = this.#options.since(seat);
    if (since === undefined) return 0;
    const first = Math.max(0, since - from);
    if (first >= envelopes.length) return 0;
    this.#outflow.sent(lastInTime([seat]));
    // Who came in the midst of it has a part of a frame for itself.
    const whole = Math.ceil(first / PER_FRAME);
    const part = envelopes.slice(first, whole * PER_FRAME);
    if (part.length > 0) seat.send(frameOf(part));
    for (const frame of frames.slice(whole)) seat.send(frame);
    return envelopes.length - first;
  }
}

function frameOf(envelopes: readonly string[]): Frame {
  return new Frame(envelopes, { ephemeral: true });
}
