/**
 * Texts that wait, in lanes that take turns.
 *
 * @module
 */

/** Texts that were taken, from which on the memory of their places is given back. */
const COMPACT_FROM = 1_000;

/** The texts of one lane, oldest first, from `next` on. */
interface Lane {
  texts: string[];
  next: number;
}

/**
 * A queue with lanes, from which one text of each is taken in turn: a lane in which much waits does
 * not delay another. Within a lane the order stays.
 *
 * @example
 * ```ts
 * import { FairQueue } from "./fair_queue.ts";
 *
 * const queue = new FairQueue();
 * for (const text of ["b1", "b2", "b3"]) queue.push(text, "busy");
 * queue.push("q1", "quiet");
 * console.log(queue.take(), queue.take()); // b1 q1
 * ```
 */
export class FairQueue {
  /** The text that waits, and its lane, where it is the only one: most queues hold one at most. */
  #only: string | undefined;
  #onlyName = "";
  /** The lanes in which something waits beside others, the next one first. */
  readonly #lanes = new Map<string, Lane>();
  #size = 0;
  #length = 0;

  /** How many texts wait. */
  get size(): number {
    return this.#size;
  }

  /** UTF-16 code units of all texts. */
  get length(): number {
    return this.#length;
  }

  /** UTF-16 code units of the text that is taken next; 0 where none waits. */
  get nextLength(): number {
    if (this.#only !== undefined) return this.#only.length;
    for (const { texts, next } of this.#lanes.values()) return texts[next].length;
    return 0;
  }

  /**
   * Appends a text to a lane.
   *
   * @param text The text.
   * @param name The name of the lane.
   */
  push(text: string, name: string): void {
    this.#length += text.length;
    if (this.#size++ === 0) {
      [this.#only, this.#onlyName] = [text, name];
      return;
    }
    if (this.#only !== undefined) {
      this.#append(this.#only, this.#onlyName);
      this.#only = undefined;
    }
    this.#append(text, name);
  }

  /**
   * Takes the next text out.
   *
   * @returns The text, or undefined where none waits.
   */
  take(): string | undefined {
    const text = this.#only ?? this.#takeOfLanes();
    if (text === undefined) return undefined;
    this.#only = undefined;
    this.#size--;
    this.#length -= text.length;
    return text;
  }

  /** Drops all texts. */
  clear(): void {
    this.#only = undefined;
    this.#lanes.clear();
    [this.#size, this.#length] = [0, 0];
  }

  #append(text: string, name: string): void {
    const lane = this.#lanes.get(name);
    if (lane) lane.texts.push(text);
    else this.#lanes.set(name, { texts: [text], next: 0 });
  }

  #takeOfLanes(): string | undefined {
    for (const [name, lane] of this.#lanes) {
      const text = lane.texts[lane.next++];
      if (lane.next === lane.texts.length) this.#lanes.delete(name);
      else {
        if (lane.next >= COMPACT_FROM) [lane.texts, lane.next] = [lane.texts.slice(lane.next), 0];
        if (this.#lanes.size > 1) {
          this.#lanes.delete(name);
          this.#lanes.set(name, lane);
        }
      }
      return text;
    }
    return undefined;
  }
}
