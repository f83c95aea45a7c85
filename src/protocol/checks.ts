/**
 * Checks of options where they are given.
 *
 * @module
 */

/** The longest time that a timer of JavaScript can wait, in milliseconds: beyond it fires at once. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

/** What a number may be. */
export interface NumberRange {
  /** The smallest that is allowed. @default {0} */
  readonly min?: number;
  /** The largest that is allowed. @default {Number.MAX_SAFE_INTEGER} */
  readonly max?: number;
}

/**
 * Checks an option that is a whole number.
 *
 * @param name The name of the option, for the message.
 * @param value Its value; `undefined` passes, for the default is used then.
 * @param range From where to where it may be.
 * @throws {TypeError} Where it is no number.
 * @throws {RangeError} Where it is no whole number of that range.
 *
 * @example
 * ```ts
 * import { checkInteger } from "./checks.ts";
 *
 * checkInteger("heartbeatMs", 2_000, { min: 1 });
 * try {
 *   checkInteger("heartbeatMs", NaN, { min: 1, max: 60_000 });
 * } catch (error) {
 *   console.log(error); // Cannot use heartbeatMs NaN: it must be a whole number from 1 to 60000
 * }
 * ```
 */
export function checkInteger(name: string, value: unknown, range: NumberRange = {}): void {
  if (value === undefined) return;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
  const why = `it must be a whole number from ${min} to ${max}`;
  checkIsNumber(name, value, why);
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`Cannot use ${name} ${value}: ${why}`);
}

/**
 * Checks an option that is a number, whole or not.
 *
 * @param name The name of the option, for the message.
 * @param value Its value; `undefined` passes, for the default is used then.
 * @param range From where to where it may be.
 * @throws {TypeError} Where it is no number.
 * @throws {RangeError} Where it is not in that range.
 */
export function checkNumber(name: string, value: unknown, range: NumberRange = {}): void {
  if (value === undefined) return;
  const { min = 0, max = Number.MAX_VALUE } = range;
  const why = max === Number.MAX_VALUE
    ? `it must be a number of at least ${min}`
    : `it must be a number from ${min} to ${max}`;
  checkIsNumber(name, value, why);
  if (value >= min && value <= max) return;
  throw new RangeError(`Cannot use ${name} ${value}: ${why}`);
}

/**
 * Checks an option that is `true` or `false`.
 *
 * @param name The name of the option, for the message.
 * @param value Its value; `undefined` passes, for the default is used then.
 * @throws {TypeError} Where it is neither.
 */
export function checkBoolean(name: string, value: unknown): void {
  if (value === undefined || typeof value === "boolean") return;
  throw new TypeError(`Cannot use ${name} ${printed(value)}: it must be true or false`);
}

/**
 * Checks an option that is a list.
 *
 * @param name The name of the option, for the message.
 * @param value Its value; `undefined` passes, for the default is used then.
 * @throws {TypeError} Where it is no array.
 */
export function checkList(name: string, value: unknown): void {
  if (value === undefined || Array.isArray(value)) return;
  throw new TypeError(`Cannot use ${name} ${printed(value)}: it must be a list`);
}

/**
 * Checks an option that is a function, or an object with some methods.
 *
 * @param name The name of the option, for the message.
 * @param value Its value; `undefined` passes, for the default is used then.
 * @param methods The methods that it must have; without them it must be a function.
 * @throws {TypeError} Where it is not.
 */
export function checkCallable(name: string, value: unknown, methods?: readonly string[]): void {
  if (value === undefined) return;
  if (!methods) {
    if (typeof value === "function") return;
    throw new TypeError(`Cannot use ${name} ${printed(value)}: it must be a function`);
  }
  for (const method of methods) {
    const found = (value as Record<string, unknown> | null)?.[method];
    if (typeof found === "function") continue;
    throw new TypeError(`Cannot use ${name} ${printed(value)}: it has no method ${method}()`);
  }
}

function checkIsNumber(name: string, value: unknown, why: string): asserts value is number {
  if (typeof value === "number") return;
  throw new TypeError(`Cannot use ${name} ${printed(value)}: ${why}`);
}

/** A value as a message shows it; whatever it is, this does not throw. */
function printed(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "[…]" : "{…}";
}
