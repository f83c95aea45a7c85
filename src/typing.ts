/**
 * Who is typing in a room.
 *
 * @module
 */

import { debounce, type DebouncedFunction } from "@std/async/debounce";
import { TYPING_TIMEOUT_MS } from "./protocol.ts";
import { Roster } from "./roster.ts";

/** How {@linkcode Typing} behaves. */
export interface TypingOptions {
  /** Hears when a user begins (`true`) and when the last of their connections stops (`false`). */
  readonly onChange: (user: string, status: boolean) => void;
  /** Milliseconds after the last sign of typing. @default {TYPING_TIMEOUT_MS} */
  readonly timeoutMs?: number;
}

/**
 * The users who are typing. Kept by connection, shown by user: whoever types in two tabs is typing
 * while either is. Each sign of typing starts the connection's time anew. Nothing is stored.
 *
 * @example
 * ```ts ignore
 * const typing = new Typing({ onChange: (user, status) => console.log(user, status) });
 * typing.start(connection, "ann"); // "ann true"; "ann false" 3 s later
 * ```
 */
export class Typing {
  readonly #options: TypingOptions;
  readonly #roster = new Roster<object>();
  readonly #stops = new Map<object, DebouncedFunction<[]>>();

  /** @param options Who hears of changes, and after how long typing ends by itself. */
  constructor(options: TypingOptions) {
    this.#options = options;
  }

  /**
   * Takes a sign of typing.
   *
   * @param connection What it came from.
   * @param user Whose connection that is.
   */
  start(connection: object, user: string): void {
    let stop = this.#stops.get(connection);
    if (!stop) {
      const wait = this.#options.timeoutMs ?? TYPING_TIMEOUT_MS;
      stop = debounce(() => this.stop(connection, user), wait);
      this.#stops.set(connection, stop);
    }
    stop();
    if (this.#roster.add(user, connection)) this.#options.onChange(user, true);
  }

  /**
   * Ends the typing of a connection; does nothing where it is not typing.
   *
   * @param connection Which one.
   * @param user Whose it is.
   */
  stop(connection: object, user: string): void {
    this.#stops.get(connection)?.clear();
    this.#stops.delete(connection);
    if (this.#roster.remove(user, connection)) this.#options.onChange(user, false);
  }

  /** Forgets everybody without telling anyone, and stops all timers. */
  clear(): void {
    for (const stop of this.#stops.values()) stop.clear();
    this.#stops.clear();
    this.#roster.clear();
  }

  /** The users who are typing now, sorted. */
  users(): string[] {
    return this.#roster.users();
  }
}
