/**
 * Environment variables, read one by one.
 *
 * @module
 */

/** The names of the variables that configure a server. */
export const VARIABLES = [
  "PORT",
  "HOST",
  "HUBBUB_KV",
  "HUBBUB_POSTGRES",
  "HUBBUB_POSTGRES_LISTEN",
  "HUBBUB_NATS",
  "HUBBUB_RETENTION_DAYS",
  "HUBBUB_MAX_TEXT_BYTES",
  "HUBBUB_MESSAGES_PER_SECOND",
  "HUBBUB_MAX_CONNECTIONS",
  "HUBBUB_MAX_CONNECTIONS_PER_ADDRESS",
  "HUBBUB_MAX_CONNECTIONS_PER_ROOM",
  "HUBBUB_MAX_CONNECTIONS_PER_USER",
  "HUBBUB_MAX_ROOMS_PER_ADDRESS",
  "HUBBUB_MAX_ROOMS_PER_CONNECTION",
  "HUBBUB_REQUESTS_PER_SECOND_PER_ADDRESS",
  "HUBBUB_MODERATION_TIMEOUT_MS",
  "HUBBUB_MODERATION_LATE",
  "HUBBUB_AUTHORIZE_TIMEOUT_MS",
  "HUBBUB_OPEN",
  "HUBBUB_JWT_SECRET",
  "HUBBUB_JWKS_URL",
  "HUBBUB_JWT_AUDIENCE",
  "HUBBUB_JWT_ISSUER",
  "HUBBUB_ADMIN_TOKEN",
  "HUBBUB_METRICS",
  "HUBBUB_HOSTS",
  "HUBBUB_ORIGINS",
  "HUBBUB_PROXIES",
  "HUBBUB_BASE_PATH",
] as const;

/** The name of a variable of {@linkcode VARIABLES}. */
export type Variable = typeof VARIABLES[number];

/** What all names but `PORT` and `HOST` begin with. */
const PREFIX = "HUBBUB_";
/** What a misspelt name may have in place of a letter. */
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

/**
 * Reads variables, and says in one line what is wrong with a value.
 *
 * @example
 * ```ts
 * import { Environment } from "./environment.ts";
 *
 * const values = new Map([["PORT", "9000"]]);
 * const environment = new Environment((name) => values.get(name));
 * console.log(environment.whole("PORT", { otherwise: 8000, min: 0, max: 65_535 })); // 9000
 * ```
 */
export class Environment {
  readonly #get: (name: string) => string | undefined;

  /**
   * Creates the environment, and checks that no variable is set but empty, or misspelt: a server
   * that is to be closed would be open.
   *
   * @param get Gives the value of a variable, such as `Deno.env.get`.
   * @throws {RangeError} If one is; the message is one line.
   */
  constructor(get: (name: string) => string | undefined) {
    this.#get = get;
    for (const name of VARIABLES) {
      if (get(name)?.trim() !== "") continue;
      throw new RangeError(`${name} is set, but empty: give it a value, or leave it out`);
    }
    for (const [near, name] of nearNames()) {
      if (get(near) === undefined) continue;
      throw new RangeError(`${near} is set, which means nothing: it should probably be ${name}`);
    }
  }

  /**
   * The value of a variable to the letter.
   *
   * @param name The variable.
   * @returns The value, if it is set.
   */
  raw(name: Variable): string | undefined {
    return this.#get(name);
  }

  /**
   * The value of a variable without white space around it.
   *
   * @param name The variable.
   * @returns The value, if it is set.
   */
  text(name: Variable): string | undefined {
    return this.#get(name)?.trim();
  }

  /**
   * The values of a variable with commas or white space between.
   *
   * @param name The variable.
   * @returns The values, if it is set.
   * @throws {RangeError} If there is none in it.
   */
  list(name: Variable): readonly string[] | undefined {
    const parts = this.text(name)?.split(/[\s,]+/).filter((part) => part !== "");
    if (parts?.length !== 0) return parts;
    throw new RangeError(`${name} holds nothing but commas`);
  }

  /**
   * A variable that is `1` for yes or `0` for no.
   *
   * @param name The variable.
   * @returns True for `1`; false for `0`, and if it is not set.
   * @throws {RangeError} If it is anything else.
   */
  flag(name: Variable): boolean {
    const value = this.text(name) ?? "0";
    if (value === "1" || value === "0") return value === "1";
    throw new RangeError(`${name} must be 1 for yes or 0 for no, not "${value}"`);
  }

  /**
   * A variable that is a number in decimal digits.
   *
   * @param name The variable.
   * @param range What it is if it is not set, and its range.
   * @returns The number.
   * @throws {RangeError} If it is none, or out of range.
   */
  number(name: Variable, range: NumberVariable): number {
    const value = this.text(name);
    if (value === undefined) return range.otherwise;
    const { min, max } = range;
    const parsed = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
    if (parsed >= min && parsed <= max) return parsed;
    throw new RangeError(`${name} must be a number from ${min} to ${max}, not "${value}"`);
  }

  /**
   * A variable that is a whole number.
   *
   * @param name The variable.
   * @param range What it is if it is not set, and its range.
   * @returns The number.
   * @throws {RangeError} If it is none, or out of range.
   */
  whole(name: Variable, range: NumberVariable): number {
    const value = this.number(name, range);
    if (Number.isInteger(value)) return value;
    const { min, max } = range;
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not "${value}"`);
  }
}

/** What a variable that is a number may be. */
export interface NumberVariable {
  /** The number if it is not set. */
  readonly otherwise: number;
  /** The least it may be. */
  readonly min: number;
  /** The most it may be. */
  readonly max: number;
}

/**
 * The names that are one letter or one swap away from a known one. They are asked for by name,
 * since the whole environment cannot be listed under `--allow-env=HUBBUB_*`; some 13,000 take 5 ms.
 */
function* nearNames(): Generator<[near: string, name: Variable]> {
  if (!mayRead(PREFIX)) return;
  const start = mayRead("HUBUB_") ? 0 : PREFIX.length;
  const known: ReadonlySet<string> = new Set(VARIABLES);
  for (const name of VARIABLES) {
    if (!name.startsWith(PREFIX)) continue;
    for (const near of editsOf(name, start)) if (!known.has(near)) yield [near, name];
  }
}

function* editsOf(name: string, start: number): Generator<string> {
  for (let i = start; i <= name.length; i++) {
    const [before, after] = [name.slice(0, i), name.slice(i)];
    for (const letter of LETTERS) yield before + letter + after;
    if (after === "") continue;
    yield before + after.slice(1);
    for (const letter of LETTERS) yield before + letter + after.slice(1);
    if (after.length > 1) yield before + after[1] + after[0] + after.slice(2);
  }
}

/** Whether variables of a beginning may be read: who may not would be asked for each of them. */
function mayRead(beginning: string): boolean {
  const variable = `${beginning}NEAR`;
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}
