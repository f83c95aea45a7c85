/**
 * Erasing of what deleted messages of a room said.
 *
 * @module
 */

import type { LogRecord } from "../store/entry.ts";
import type { MessageState } from "../store/message_state.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Milliseconds that an isolate has to erase what it deleted, before others do it. */
const ORPHAN_MS = 1_000;

/** How {@linkcode Erasures} behaves. */
export interface ErasuresOptions {
  /** The name of the room. */
  readonly room: string;
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** Receives operational events. Must not throw. */
  readonly logger: Logger;
  /** The hub's counters. */
  readonly metrics: Metrics;
}

/**
 * Erases deleted messages: at once those that this isolate deleted, and after a while those of
 * others, in case that one has died. What fails is tried again.
 */
export class Erasures {
  readonly #options: ErasuresOptions;
  readonly #later = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isFailing = false;
  #isStopped = false;

  /** @param options The room and its log. */
  constructor(options: ErasuresOptions) {
    this.#options = options;
  }

  /**
   * Erases a message now. Never throws.
   *
   * @param message Its cursor.
   */
  erase(message: string): void {
    void this.#erase(message);
  }

  /**
   * Erases a message in a while, unless another isolate has by then.
   *
   * @param message Its cursor.
   */
  eraseLater(message: string): void {
    if (this.#isStopped) return;
    this.#later.add(message);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const due = [...this.#later];
      this.#later.clear();
      for (const message of due) void this.#erase(message, { ofAnother: true });
    }, ORPHAN_MS);
  }

  /**
   * Looks for messages that were deleted, and whose eraser died.
   *
   * @param records Messages as they are stored.
   * @param states What became of them.
   */
  look(records: readonly LogRecord[], states: ReadonlyMap<string, MessageState>): void {
    for (const { cursor, isErased } of records) {
      const state = states.get(cursor);
      if (state?.isDeleted && (state.hasLeftovers || !isErased)) this.erase(cursor);
    }
  }

  /** Stops the timer: the rest is left to who reads the room next. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #erase(message: string, { ofAnother = false } = {}): Promise<void> {
    const { log, logger, metrics, room } = this.#options;
    try {
      if (ofAnother && (await log.get(room, message))?.isErased) return;
      await log.erase(room, message);
      this.#isFailing = false;
    } catch (error) {
      metrics.eraseFailures++;
      if (!this.#isFailing) logger("error", "erase_failed", { room, error });
      this.#isFailing = true;
      this.eraseLater(message);
    }
  }
}
