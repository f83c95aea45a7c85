/**
 * The pacing of the frames of addresses that have their share of the processor.
 *
 * @module
 */

import { frameCostMs } from "../access/processor_costs.ts";
import type { ProcessorAccount } from "../access/processor_shares.ts";
import type { CloseName } from "./inbound.ts";
import type { TurnScheduler } from "./turn_scheduler.ts";

/** Frames that wait on a connection at most, and their UTF-16 code units or bytes. */
const HELD_MAX = 256;
const HELD_LENGTH_MAX = 128 * 1024;

/** How a {@linkcode FramePacer} behaves. */
export interface FramePacerOptions {
  /** The processor's time that is spent on the address; undefined where none is counted. */
  readonly processor: ProcessorAccount | undefined;
  /** The turns of frames that wait, of all connections. */
  readonly turns: TurnScheduler;
  /** By what the turns go round: the address. */
  readonly key: string;
  /** Handles the data of a frame. Must not throw. */
  readonly receive: (data: unknown) => void;
  /** Ends the connection. */
  readonly end: (name: CloseName, reason: string) => void;
}

/**
 * Hands the frames of a connection on, in their order: at once, or when it is the turn of an address
 * that has its share of the processor. Deno reads a socket whether or not anybody is ready for what
 * comes, so what waits is bounded, and who goes on sending has to go.
 *
 * @example
 * ```ts
 * import { FramePacer } from "./frame_pacer.ts";
 * import { TurnScheduler } from "./turn_scheduler.ts";
 *
 * const pacer = new FramePacer({
 *   processor: undefined,
 *   turns: new TurnScheduler({ atOnce: 2 }),
 *   key: "192.0.2.1",
 *   receive: (data) => console.log(data), // hello
 *   end: (name, reason) => console.log(name, reason),
 * });
 * pacer.take("hello");
 * ```
 */
export class FramePacer {
  readonly #options: FramePacerOptions;
  #held: unknown[] = [];
  #heldLength = 0;
  #isOver = false;

  /** @param options Whose frames they are, and what handles them. */
  constructor(options: FramePacerOptions) {
    this.#options = options;
  }

  /** UTF-16 code units or bytes of frames that wait. */
  get heldLength(): number {
    return this.#heldLength;
  }

  /**
   * Takes the data of a frame.
   *
   * @param data The data.
   */
  take(data: unknown): void {
    const { processor, receive, end } = this.#options;
    if (processor === undefined) return receive(data);
    if (this.#held.length === 0 && !processor.isOver()) return this.#handle(data, processor);
    if (this.#isOver) return;
    this.#held.push(data);
    this.#heldLength += lengthOf(data);
    if (this.#held.length > HELD_MAX || this.#heldLength > HELD_LENGTH_MAX) {
      this.stop();
      return end("tooManyBadFrames", "Too much was sent at once from this address");
    }
    if (this.#held.length === 1) void this.#run(processor);
  }

  /** Drops what waits, and takes no more. */
  stop(): void {
    this.#isOver = true;
    this.#held = [];
    this.#heldLength = 0;
  }

  async #run(processor: ProcessorAccount): Promise<void> {
    const { turns, key } = this.#options;
    while (this.#held.length > 0) {
      await turns.turn(key)?.begun;
      if (this.#isOver) return;
      const [data] = this.#held;
      this.#heldLength -= lengthOf(data);
      this.#handle(data, processor);
      this.#held.shift();
    }
  }

  #handle(data: unknown, processor: ProcessorAccount): void {
    processor.charge(frameCostMs(lengthOf(data)));
    this.#options.receive(data);
  }
}

function lengthOf(data: unknown): number {
  if (typeof data === "string") return data.length;
  return data instanceof ArrayBuffer ? data.byteLength : 0;
}
