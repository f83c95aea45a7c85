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

/**
 * Makes a logger that writes one line of JSON for each event. Names and reasons come from
 * outside: control characters, also those of terminals and of writing direction, are escaped.
 *
 * @param write Takes each line. @default {console.log}
 * @returns The logger.
 *
 * @example
 * ```ts ignore
 * const logger = jsonLogger();
 * logger("info", "started", { port: 8000 });
 * ```
 */
export function jsonLogger(write: (line: string) => void = console.log): Logger {
  return (level, event, fields) => {
    const line = { time: new Date().toISOString(), level, event };
    write(
      asText({ ...line, ...fields }, { ...line, unprintable: true }).replace(
        /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
        (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
      ),
    );
  };
}

/** Whatever was thrown may end up here: also what JSON cannot hold must not throw again. */
function asText(line: object, otherwise: object): string {
  try {
    return JSON.stringify(line, printable);
  } catch {
    return JSON.stringify(otherwise);
  }
}

function printable(_key: string, value: unknown): unknown {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return typeof value === "bigint" ? String(value) : value;
}
