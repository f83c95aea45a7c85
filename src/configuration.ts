/**
 * What the environment says.
 *
 * @module
 */

/** Everything that the environment decides. */
export interface Configuration {
  /** Where to listen: a TCP port, 0 for any free one. */
  readonly port: number;
  /** Where to listen: a name or an address of this machine. */
  readonly host: string;
  /** What to give `Deno.openKv`; undefined for the assigned database of Deno Deploy. */
  readonly kv: string | undefined;
  /** Milliseconds for which messages are kept; undefined for ever. */
  readonly retentionMs: number | undefined;
  /** UTF-8 bytes of text in one message. */
  readonly maxTextBytes: number;
  /** Messages a second on one connection; 0 for no limit. */
  readonly messagesPerSecond: number;
  /** Connections at the same time, in one isolate. */
  readonly maxConnections: number;
}

/** The names of the variables that {@linkcode readConfiguration} asks for. */
export const VARIABLES = [
  "PORT",
  "HOST",
  "HUBBUB_KV",
  "HUBBUB_RETENTION_DAYS",
  "HUBBUB_MAX_TEXT_BYTES",
  "HUBBUB_MESSAGES_PER_SECOND",
  "HUBBUB_MAX_CONNECTIONS",
] as const;

/** Milliseconds in a day. */
const DAY_MS = 24 * 60 * 60 * 1000;
/** A text of this many bytes fits into an entry of the log, with its name, if not much is escaped. */
const TEXT_BYTES_MAX = 60_000;

/**
 * Reads the configuration. A variable that is empty counts as not set.
 *
 * @param get Gives the value of a variable, such as `Deno.env.get`.
 * @returns The configuration, with defaults for what is not set.
 * @throws {RangeError} Where a value cannot be used; the message is one line for the operator.
 *
 * @example
 * ```ts ignore
 * const { port } = readConfiguration((name) => Deno.env.get(name));
 * ```
 */
export function readConfiguration(get: (name: string) => string | undefined): Configuration {
  const text = (name: string) => get(name)?.trim() || undefined;
  const number = (name: string, otherwise: number, min: number, max: number) => {
    const value = text(name);
    if (value === undefined) return otherwise;
    const parsed = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
    if (parsed >= min && parsed <= max) return parsed;
    throw new RangeError(`${name} must be a number from ${min} to ${max}, not "${value}"`);
  };
  const whole = (name: string, otherwise: number, min: number, max: number) => {
    const value = number(name, otherwise, min, max);
    if (Number.isInteger(value)) return value;
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not "${value}"`);
  };
  const retentionDays = number("HUBBUB_RETENTION_DAYS", 0, 0, 36_500);
  const isDeploy = text("DENO_DEPLOYMENT_ID") !== undefined;
  return {
    port: whole("PORT", 8000, 0, 65_535),
    host: text("HOST") ?? "127.0.0.1",
    kv: text("HUBBUB_KV") ?? (isDeploy ? undefined : "hubbub.sqlite3"),
    retentionMs: retentionDays === 0 ? undefined : Math.ceil(retentionDays * DAY_MS),
    maxTextBytes: whole("HUBBUB_MAX_TEXT_BYTES", 4096, 1, TEXT_BYTES_MAX),
    messagesPerSecond: number("HUBBUB_MESSAGES_PER_SECOND", 20, 0, 1_000_000),
    maxConnections: whole("HUBBUB_MAX_CONNECTIONS", 20_000, 1, 10_000_000),
  };
}
