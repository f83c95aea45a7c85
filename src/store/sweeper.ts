/**
 * Deleting what has expired.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { commitOf, ORIGIN } from "./cursor.ts";
import type { Expiry } from "./expiry.ts";
import type { SteadyClock } from "./steady_clock.ts";
import type { StoreEvent } from "./store_event.ts";

/** Milliseconds between the two looks that must both find an entry too old. */
const APART_MS = 60 * 60 * 1000;
/** Milliseconds between two passes over all rooms. */
export const PASS_MS = 24 * 60 * 60 * 1000;
/** Milliseconds for which an isolate has the pass to itself before it must say so again. */
const LEASE_MS = 30 * 60 * 1000;
/** Milliseconds between two times that it is seen what is due. */
const TICK_MS = 10 * 60 * 1000;
/** Milliseconds between two rooms of a pass: it is in nobody's way. */
const PAUSE_MS = 2;
/** Rooms of a pass that are listed together. */
const PAGE = 100;
/** Rooms that wait for their second look. */
const LOOKS_MAX = 100_000;

/** What {@linkcode Sweeper} sweeps. */
export interface SweeperOptions {
  /** What has expired. */
  readonly expiry: Expiry;
  /** The time. */
  readonly clock: SteadyClock;
  /** Lists rooms in order. */
  readonly rooms: (options: { limit: number; after?: string }) => Promise<string[]>;
  /** Receives events. */
  readonly onEvent: (event: StoreEvent) => void;
}

/** Who passes over all rooms. */
export interface SweepLease {
  /** Until when nobody else does, in milliseconds since the epoch. */
  readonly until: number;
  /** The isolate that does; undefined where the pass is done. */
  readonly holder: string | undefined;
}

/** What a first look found. */
interface Look {
  readonly at: number;
  /** Entries before this commit were too old. */
  readonly before: string;
}

/**
 * Deletes the beginnings of logs that have expired: of a room when it is opened, and of all rooms
 * once a day, by one isolate under a lease. An entry goes only where two looks an hour apart, by a
 * clock that never goes back, both found it too old: a clock that was wrong for a while deletes
 * nothing, and what the retention says now is what counts.
 */
export abstract class Sweeper {
  readonly #options: SweeperOptions;
  /** The id under which it takes the lease. */
  protected readonly id: string = crypto.randomUUID();
  readonly #looks = new Map<string, Look>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether this isolate has the lease and rooms of its pass wait for their second look. */
  #isPassing = false;
  #isStopped = true;

  /** @param options What to sweep. */
  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** Begins to sweep all rooms. */
  start(): void {
    if (!this.#options.expiry.isOn || !this.#isStopped) return;
    this.#isStopped = false;
    this.#schedule();
  }

  /** Stops. What is being deleted is finished. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /**
   * Looks at one room, and deletes what an earlier look found too old as well.
   *
   * @param room The room.
   * @returns How many entries were deleted.
   */
  async look(room: string): Promise<number> {
    const { clock, expiry } = this.#options;
    if (!expiry.isOn) return 0;
    const { first, isAll } = await expiry.beginning(room);
    if (first === ORIGIN) {
      this.#looks.delete(room);
      return 0;
    }
    const commit = commitOf(first);
    // Where nothing is young enough, the newest entry goes as well: what follows it sorts later.
    const before = isAll ? `${commit}~` : commit;
    const earlier = this.#looks.get(room);
    if (!earlier || clock.elapsed - earlier.at < APART_MS) {
      if (!earlier && this.#looks.size < LOOKS_MAX) {
        this.#looks.set(room, { at: clock.elapsed, before });
      }
      return 0;
    }
    this.#looks.delete(room);
    return await this.remove(room, earlier.before < before ? earlier.before : before);
  }

  /** Looks at what is due: rooms whose first look was an hour ago, and once a day all rooms. */
  async tick(): Promise<void> {
    let [rooms, entries] = [0, 0];
    const lookAt = async (room: string) => {
      const deleted = await this.look(room);
      entries += deleted;
      rooms += deleted > 0 ? 1 : 0;
    };
    const { clock, onEvent } = this.#options;
    const hasLease = await this.#takeLease();
    if (this.#isPassing && !hasLease) {
      // It was away for so long that another isolate has begun a pass of its own.
      this.#isPassing = false;
      this.#looks.clear();
    }
    for (const [room, { at }] of [...this.#looks]) {
      if (this.#isStopped) return;
      if (clock.elapsed - at >= APART_MS) await lookAt(room);
    }
    if (hasLease && !this.#isPassing) await this.#pass(lookAt);
    if (this.#isPassing && this.#looks.size === 0) await this.#endPass();
    if (rooms > 0) onEvent({ type: "store_swept", rooms, entries });
  }

  #schedule(): void {
    this.#timer = setTimeout(async () => {
      try {
        await this.tick();
      } catch (error) {
        if (!this.#isStopped) this.#options.onEvent({ type: "store_sweep_failed", error });
      }
      if (!this.#isStopped) this.#schedule();
    }, TICK_MS);
  }

  /** Looks at all rooms. Where that fails, the next tick begins anew. */
  async #pass(lookAt: (room: string) => Promise<void>): Promise<void> {
    let after: string | undefined;
    while (!this.#isStopped) {
      const rooms = await this.#options.rooms({ limit: PAGE, after });
      for (const room of rooms) {
        if (this.#isStopped) return;
        await lookAt(room);
        await delay(PAUSE_MS);
      }
      if (rooms.length < PAGE) break;
      after = rooms.at(-1);
      // A pass over very many rooms takes longer than a lease.
      if (!await this.#takeLease()) return;
    }
    this.#isPassing = !this.#isStopped;
  }

  /** Takes or renews the lease, unless another isolate has it or the day's pass is done. */
  async #takeLease(): Promise<boolean> {
    return await this.writeLease(LEASE_MS, this.id);
  }

  /** Ends a pass that nothing waits in any more: the next one is due in a day, by anybody. */
  async #endPass(): Promise<void> {
    this.#isPassing = false;
    await this.writeLease(PASS_MS, undefined);
  }

  /**
   * Takes, renews or ends the lease, unless another isolate has it.
   *
   * @param ms Milliseconds for which it holds from now on.
   * @param holder This isolate; undefined where the pass is done.
   * @returns Whether it was written.
   */
  protected abstract writeLease(ms: number, holder: string | undefined): Promise<boolean>;

  /**
   * Deletes the beginning of a room's log.
   *
   * @param room The room.
   * @param before The commit before which all goes; with `~` behind it, that commit goes too.
   * @returns How many entries were deleted.
   */
  protected abstract remove(room: string, before: string): Promise<number>;
}
