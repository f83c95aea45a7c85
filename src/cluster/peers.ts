/**
 * The other isolates that are heard.
 *
 * @module
 */

/** Isolates that shut down and are remembered. */
const GONE_MAX = 1_000;

/**
 * The isolates that were heard lately. One that shut down does not come back: what was still under
 * way from it is passed over.
 *
 * @example
 * ```ts
 * import { Peers } from "./peers.ts";
 *
 * const peers = new Peers();
 * console.log(peers.heard("an isolate")); // new
 * console.log(peers.heard("an isolate"), peers.size); // known 1
 * peers.shutDown("an isolate");
 * console.log(peers.heard("an isolate"), peers.size); // gone 0
 * ```
 */
export class Peers {
  readonly #heardAt = new Map<string, number>();
  readonly #gone = new Set<string>();

  /** How many are heard. */
  get size(): number {
    return this.#heardAt.size;
  }

  /** The ids of those that are heard. */
  ids(): string[] {
    return [...this.#heardAt.keys()];
  }

  /**
   * Notes that an isolate was heard.
   *
   * @param isolate Its id.
   * @returns Whether it was heard before, lately; `gone` where it has shut down.
   */
  heard(isolate: string): "new" | "known" | "gone" {
    if (this.#gone.has(isolate)) return "gone";
    const isNew = !this.#heardAt.has(isolate);
    this.#heardAt.set(isolate, performance.now());
    return isNew ? "new" : "known";
  }

  /**
   * Removes an isolate for good.
   *
   * @param isolate Its id.
   */
  shutDown(isolate: string): void {
    this.#gone.add(isolate);
    if (this.#gone.size > GONE_MAX) this.#gone.delete(this.#gone.keys().next().value!);
    this.#heardAt.delete(isolate);
  }

  /**
   * Removes the isolates that were not heard for a while.
   *
   * @param silenceMs Milliseconds.
   * @returns Their ids.
   */
  expire(silenceMs: number): string[] {
    const oldest = performance.now() - silenceMs;
    const expired = this.ids().filter((isolate) => this.#heardAt.get(isolate)! < oldest);
    for (const isolate of expired) this.#heardAt.delete(isolate);
    return expired;
  }

  /** Removes all of them. */
  clear(): void {
    this.#heardAt.clear();
  }
}
