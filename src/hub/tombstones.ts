/**
 * Repeats on their way out of a log.
 *
 * @module
 */

import type { Duplicate } from "../store/room_log.ts";
import type { RoomContext } from "./room_context.ts";

/** Milliseconds that an isolate has to strike out its repeats, before others do it. */
const ORPHAN_MS = 1_000;

/**
 * Strikes out of a room's log what two isolates appended at once: at once what this isolate wrote,
 * and after a while what another did, in case that one has died. Whoever reads the log leaves
 * repeats out all the same.
 */
export class Tombstones {
  readonly #room: string;
  readonly #context: Pick<RoomContext, "log" | "logger" | "metrics">;
  readonly #orphans: Duplicate[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins with nothing to do.
   *
   * @param room The room's name.
   * @param context The log, and who hears where it cannot be written.
   */
  constructor(room: string, context: Pick<RoomContext, "log" | "logger" | "metrics">) {
    this.#room = room;
    this.#context = context;
  }

  /**
   * Strikes repeats out now.
   *
   * @param repeats What nobody else is going to strike out.
   */
  strike(repeats: readonly Duplicate[]): void {
    if (repeats.length > 0) void this.#write(repeats);
  }

  /**
   * Strikes a repeat out in a while, unless that has happened by then.
   *
   * @param repeat What another isolate wrote.
   */
  strikeLater(repeat: Duplicate): void {
    this.#orphans.push(repeat);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.strike(this.#orphans.splice(0));
    }, ORPHAN_MS);
  }

  /** Leaves the rest to whoever opens the room next. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  async #write(repeats: readonly Duplicate[]): Promise<void> {
    const { log, logger, metrics } = this.#context;
    try {
      await log.writeTombstones(this.#room, repeats);
    } catch (error) {
      metrics.tombstoneFailures++;
      logger("error", "strike_failed", { room: this.#room, error });
    }
  }
}
