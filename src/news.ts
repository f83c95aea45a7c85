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
/** Milliseconds of gathering for each member. */
const GATHER_MS_PER_MEMBER = 2;
/** Milliseconds after which gathered news are told in the largest room. */
const GATHER_MAX_MS = 1_000;
/**
 * Envelopes that are sent in one turn of the event loop. Telling n members of n arrivals takes n²:
 * in one go it would hold everybody's messages up, and all of it would wait in memory.
 */
const SLICE = 500;

/** Somebody came or went; seats taken later than `at` know already. */
interface Item {
  readonly user: string;
  readonly envelope: string;
  readonly at: number;
}

/** A round of telling: what, and whom. */
interface Round {
  readonly items: readonly Item[];
  readonly about: ReadonlySet<string>;
  /** For whoever was there before all of it, and is not in it. */
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
 * are gathered and told little by little, each seat in the order in which they happened. Nobody is
 * told of themselves, or of what they knew when they joined.
 */
export class News {
  readonly #options: NewsOptions;
  #now = 0;
  #items: Item[] = [];
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
    this.#items.push({ user, envelope: encodeEnvelope(envelope), at: this.#now++ });
    if (this.#timer !== undefined) return;
    const size = this.#options.seats().length;
    if (size <= GATHER_FROM) return this.#tell();
    this.#tellLater(Math.min(GATHER_MAX_MS, size * GATHER_MS_PER_MEMBER));
  }

  /** Forgets what was not told yet. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#items = [];
    this.#round = undefined;
  }

  #tellLater(wait: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
    }, wait);
  }

  #tell(): void {
    const round = this.#round ??= this.#begin();
    let left = SLICE;
    while (left > 0 && round.next < round.seats.length) {
      left -= this.#tellOne(round.seats[round.next++], round);
    }
    if (round.next === round.seats.length) this.#round = undefined;
    if (this.#round || this.#items.length > 0) this.#tellLater(0);
  }

  #begin(): Round {
    const items = this.#items;
    this.#items = [];
    return {
      items,
      about: new Set(items.map(({ user }) => user)),
      forMost: new Frame(items.map(({ envelope }) => envelope), { ephemeral: true }),
      seats: this.#options.seats(),
      next: 0,
    };
  }

  /** Tells one seat, and returns how many envelopes that took. */
  #tellOne(seat: Seat, { items, about, forMost }: Round): number {
    const since = this.#options.since(seat);
    if (since === undefined) return 0;
    const { user } = seat;
    if (since <= items[0].at && !(user !== undefined && about.has(user))) {
      seat.send(forMost);
      return items.length;
    }
    const rest = items.filter((item) => item.at >= since && item.user !== user);
    if (rest.length === 0) return 0;
    seat.send(new Frame(rest.map(({ envelope }) => envelope), { ephemeral: true }));
    return rest.length;
  }
}
