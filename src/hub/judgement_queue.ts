/**
 * The messages of a sender that are being judged.
 *
 * @module
 */

import type { Draft } from "../protocol/mod.ts";
import { JudgementSlots } from "./judgement_slots.ts";
import type { Judgement, Moderation, Sender } from "./moderation.ts";

/** Messages of one sender that wait to be judged, or for those before them; more are refused. */
const WAITING_MAX = 256;

/**
 * Creates the queue of a sender.
 *
 * @param moderation What judges messages, if anything does.
 * @param connection What stands for the sender's connection.
 * @returns The queue; undefined where nothing is judged.
 */
export function createQueue(
  moderation: Moderation | undefined,
  connection: object,
): JudgementQueue | undefined {
  return moderation && new JudgementQueue(moderation, moderation.slotsOf(connection));
}

/** A message in its place in the queue. */
interface Queued {
  judgement?: Judgement;
  readonly release: (judgement: Judgement) => void;
}

/**
 * The messages of one sender in one room: judged side by side, and released in the order in which
 * they came.
 *
 * @example
 * ```ts
 * import { jsonLogger, Metrics } from "@hubbub/hub";
 * import { Guard } from "../telemetry/guard.ts";
 * import { JudgementQueue } from "./judgement_queue.ts";
 * import { Moderation } from "./moderation.ts";
 *
 * const metrics = new Metrics();
 * const moderation = new Moderation({
 *   moderate: async ({ text }) => ({ text: text === "1" ? await Promise.resolve("one") : text }),
 *   textMaxBytes: 4096,
 *   guard: new Guard({ logger: jsonLogger(), metrics }),
 *   metrics,
 * });
 * const queue = new JudgementQueue(moderation);
 * for (const text of ["1", "2"]) {
 *   queue.add({ text }, { room: "lobby", user: "ann" }, (judgement) => console.log(judgement));
 * }
 * await moderation.idle(); // one, 2
 * ```
 */
export class JudgementQueue {
  readonly #moderation: Moderation;
  readonly #slots: JudgementSlots;
  readonly #queue: Queued[] = [];

  /**
   * Starts without messages.
   *
   * @param moderation What judges them.
   * @param slots Those of the sender's connection. @default {its own}
   */
  constructor(moderation: Moderation, slots: JudgementSlots = new JudgementSlots()) {
    this.#moderation = moderation;
    this.#slots = slots;
  }

  /**
   * Has a message judged.
   *
   * @param draft The message.
   * @param sender Who says it, and where.
   * @param release Called exactly once, after those of all messages before it: at once where the hook
   * judges at once. Must not throw.
   * @returns False where too many wait already: then it is not judged, and nothing is called.
   */
  add(draft: Draft, sender: Sender, release: (judgement: Judgement) => void): boolean {
    if (this.#queue.length >= WAITING_MAX) return false;
    const queued: Queued = { release };
    this.#queue.push(queued);
    const judging = this.#moderation.judge(draft, sender, (judgement) => {
      queued.judgement = judgement;
      this.#release();
    });
    this.#slots.add(judging);
    return true;
  }

  #release(): void {
    for (let first; (first = this.#queue[0])?.judgement;) {
      this.#queue.shift();
      first.release(first.judgement);
    }
  }
}
