import type { Fanout } from "@hubbub/hub";
import type { ClusterMessage } from "../../src/cluster/cluster_message.ts";
import type { Random } from "./random.ts";

/** What a {@linkcode FaultyChannel} does to packets: shares from 0 to 1, and milliseconds. */
export interface Faults {
  /** Packets that never arrive. */
  readonly drop: number;
  /** Packets that arrive twice. */
  readonly repeat: number;
  /** Packets that arrive late, and so behind others. */
  readonly delay: number;
  /** How late they arrive at most. */
  readonly delayMaxMs: number;
  /** Publishes that throw, before or after the packet is on its way. @default {0} */
  readonly throw?: number;
}

/** Connects hubs of one process, badly. */
export class FaultyChannel {
  dropped = 0;
  thrown = 0;
  delivered = 0;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #ends = new Set<(message: unknown) => void>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(faults: Faults, random: Random) {
    this.#faults = faults;
    this.#random = random;
  }

  /** Makes the end of one hub. */
  connect(): Fanout {
    let end: ((message: unknown) => void) | undefined;
    let isClosed = false;
    return {
      publish: (message) => {
        if (isClosed) return;
        const throws = this.#random.chance(this.#faults.throw ?? 0);
        if (!throws || this.#random.chance(0.5)) this.#publish(message as ClusterMessage, end);
        if (!throws) return;
        this.thrown++;
        throw new Error("The fan-out could not publish");
      },
      subscribe: (listener) => {
        end = listener;
        this.#ends.add(listener);
      },
      close: () => {
        isClosed = true;
        if (end) this.#ends.delete(end);
      },
    };
  }

  /** Forgets what is still under way. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #publish(message: ClusterMessage, from: ((message: unknown) => void) | undefined): void {
    const text = JSON.stringify(message);
    const { drop, repeat, delay, delayMaxMs } = this.#faults;
    for (const end of this.#ends) {
      if (end === from) continue;
      if (this.#random.chance(drop)) {
        this.dropped++;
        continue;
      }
      const copies = this.#random.chance(repeat) ? 2 : 1;
      for (let i = 0; i < copies; i++) {
        const wait = this.#random.chance(delay) ? this.#random.below(delayMaxMs) : 0;
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          if (!this.#ends.has(end)) return;
          this.delivered++;
          end(JSON.parse(text));
        }, wait);
        this.#timers.add(timer);
      }
    }
  }
}
