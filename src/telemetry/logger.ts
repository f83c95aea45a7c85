/**
 * Operational events, one line of JSON each.
 *
 * @module
 */

import type { Metrics } from "./metrics.ts";

/** The severity of an event. */
export type Level = "info" | "warn" | "error";

/**
 * Receives operational events: what happened, in snake_case, and what belongs to it.
 *
 * One that throws, rejects or returns `false` did not write the event. That never disturbs the
 * server: it is counted in {@linkcode Metrics.logFailures}.
 */
export type Logger = (
  level: Level,
  event: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** Options of {@linkcode jsonLogger}. */
export interface JsonLoggerOptions {
  /** Lines a minute for each event; what is left out is counted in the next line. @default {60} */
  readonly perMinute?: number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/** UTF-16 code units of a text in a line: more comes from somebody who wants to fill the disk. */
const TEXT_MAX_LENGTH = 500;

/**
 * Creates a logger that writes one line of JSON for each event. Names and reasons come from
 * outside: control characters, also those of terminals and of writing direction, are escaped, long
 * texts are cut, and an event that comes too often is left out and counted (`left_out`).
 *
 * The logger never throws. Where a line cannot be written (a full disk, a closed terminal), it
 * returns `false`, and the next line that can says how many were lost (`not_written`).
 *
 * @param write Writes one line. @default {console.log}
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
  let notWritten = 0;
  return (level, event, fields): boolean => {
    let recent = events.get(event);
    if (!recent) events.set(event, recent = { since: now(), written: 0, leftOut: 0 });
    if (now() - recent.since >= 60_000) {
      Object.assign(recent, { since: now(), written: 0 });
    }
    if (recent.written >= perMinute) {
      recent.leftOut++;
      return true;
    }
    recent.written++;
    const time = new Date().toISOString();
    const counts = {
      left_out: recent.leftOut || undefined,
      not_written: notWritten || undefined,
    };
    let line: string;
    try {
      line = toLine({ time, level, event, ...fields, ...counts });
    } catch {
      // What happened is worth a line, also where its fields cannot be written.
      line = toLine({ time, level, event, unprintable: true, ...counts });
    }
    try {
      write(line);
    } catch {
      notWritten++;
      return false;
    }
    recent.leftOut = 0;
    notWritten = 0;
    return true;
  };
}

/**
 * Wraps a logger so that nothing it does reaches its caller: an event that it fails to write is
 * counted and forgotten.
 *
 * @param logger Any logger, such as an application's own.
 * @param metrics Counts the failures. @default {none}
 * @returns A logger that never throws.
 */
export function guardLogger(
  logger: Logger,
  metrics: Pick<Metrics, "logFailures"> = { logFailures: 0 },
): Logger {
  return (level, event, fields) => {
    try {
      const result: unknown = logger(level, event, fields);
      if (result === false) metrics.logFailures++;
      else if (result instanceof Promise) result.catch(() => metrics.logFailures++);
    } catch {
      metrics.logFailures++;
    }
  };
}

function toLine(value: object): string {
  return JSON.stringify(value, asText).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** A JSON replacer: an error becomes its name and message, a long text is cut. */
function asText(_key: string, value: unknown): unknown {
  if (value instanceof Error) value = `${value.name}: ${value.message}`;
  if (typeof value === "bigint") value = String(value);
  if (typeof value !== "string" || value.length <= TEXT_MAX_LENGTH) return value;
  return value.slice(0, TEXT_MAX_LENGTH) + "…";
}
