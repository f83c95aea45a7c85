/**
 * When messages are sent, as text.
 *
 * @module
 */

/**
 * Creates a clock that tells the time as a log has it. Those who ask within one millisecond get one
 * text: writing it costs more than the rest of what a message is given.
 *
 * @param now Milliseconds since the epoch.
 * @returns The time, ISO 8601.
 *
 * @example
 * ```ts
 * import { createTimestamps } from "./timestamps.ts";
 *
 * const timestamp = createTimestamps(() => 1_767_319_445_678);
 * console.log(timestamp()); // 2026-01-02T02:04:05.678Z
 * ```
 */
export function createTimestamps(now: () => number): () => string {
  let lastMs: number | undefined;
  let text = "";
  return () => {
    const ms = now();
    if (ms !== lastMs) {
      text = new Date(ms).toISOString();
      lastMs = ms;
    }
    return text;
  };
}
