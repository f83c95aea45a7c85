/**
 * What an operator reads: one line of JSON an event.
 *
 * @module
 */

/** How much an event matters. */
export type Level = "info" | "warn" | "error";

/** Takes an event: what happened, in snake_case, and what belongs to it. Must not throw. */
export type Logger = (
  level: Level,
  event: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** How {@linkcode jsonLogger} behaves. */
export interface JsonLoggerOptions {
  /** Lines a minute for each event; what is left out is counted in the next line. @default {60} */
  readonly perMinute?: number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/** UTF-16 code units of a text in a line: more comes from somebody who wants to fill the disk. */
const TEXT_MAX_LENGTH = 500;

/**
 * Makes a logger that writes one line of JSON for each event. Names and reasons come from
 * outside: control characters, also those of terminals and of writing direction, are escaped, long
 * texts are cut, and an event that comes too often is left out and counted.
 *
 * @param write Takes each line. @default {console.log}
 * @param options How often an event is written.
 * @returns The logger.
 *
 * @example
 * ```ts
 * import { jsonLogger } from "@hubbub/hub";
 *
 * const logger = jsonLogger();
 * logger("info", "started", { port: 8000 });
 * // {"time":"2026-…","level":"info","event":"started","port":8000}
 * ```
 */
export function jsonLogger(
  write: (line: string) => void = console.log,
  options: JsonLoggerOptions = {},
): Logger {
  const { perMinute = 60, now = () => performance.now() } = options;
  const events = new Map<string, { since: number; written: number; leftOut: number }>();
  return (level, event, fields) => {
    let recent = events.get(event);
    if (!recent) events.set(event, recent = { since: now(), written: 0, leftOut: 0 });
    const left_out = recent.leftOut || undefined;
    if (now() - recent.since >= 60_000) {
      Object.assign(recent, { since: now(), written: 0 });
    }
    if (recent.written >= perMinute) return void recent.leftOut++;
    recent.written++;
    recent.leftOut = 0;
    const time = new Date().toISOString();
    try {
      write(toLine({ time, level, event, ...fields, left_out }));
    } catch {
      // What happened is worth a line, also where its fields cannot be written.
      write(toLine({ time, level, event, unprintable: true, left_out }));
    }
  };
}

function toLine(value: object): string {
  return JSON.stringify(value, asText).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** An error as what it says, without its stack; and nothing that could not be written. */
function asText(_key: string, value: unknown): unknown {
  if (value instanceof Error) value = `${value.name}: ${value.message}`;
  if (typeof value === "bigint") value = String(value);
  if (typeof value !== "string" || value.length <= TEXT_MAX_LENGTH) return value;
  return value.slice(0, TEXT_MAX_LENGTH) + "…";
}
