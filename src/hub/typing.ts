/**
 * Who is typing in a room.
 *
 * @module
 */

import { debounce, type DebouncedFunction } from "@std/async/debounce";
import { TYPING_TIMEOUT_MS } from "../protocol/mod.ts";
import { UserSet } from "./user_set.ts";

/** Milliseconds after which other isolates are told again that a user is typing. */
const REPEAT_MS = 1_500;
/** Milliseconds that typing on another isolate outlasts its time there, where the stop got lost. */
const ELSEWHERE_GRACE_MS = 2_000;

/** How {@linkcode Typing} behaves. */
export interface TypingOptions {
  /** Hears when a user begins (`true`) and when the last of their connections stops (`false`). */
  readonly onChange: (user: string, status: boolean) => void;
  /** Hears the same of this isolate's connections alone, and every now and then that it lasts. */
  readonly onHere?: (user: string, status: boolean) => void;
  /** Milliseconds after the last sign of typing. @default {TYPING_TIMEOUT_MS} */
  readonly timeoutMs?: number;
}

/**
 * The users who are typing. Kept by connection, shown by user: whoever types in two tabs is typing
 * while either is. Each sign of typing starts the connection's time anew. Nothing is stored.
 *
 * @example
 * ```ts
 * import { Typing } from "./typing.ts";
 *
 * const typing = new Typing({ onChange: (user, status) => console.log(user, status) });
 * const connection = {};
 * typing.start(connection, "ann"); // "ann true"; "ann false" 3 s later, or
 * typing.stop(connection, "ann"); // at once
 * ```
 */
export class Typing {
  readonly #options: TypingOptions;
  readonly #timeoutMs: number;
  readonly #everywhere = new UserSet<object | string>();
  readonly #here = new UserSet<object>();
  readonly #stops = new Map<object | string, DebouncedFunction<[]>>();
  /** By user, when the other isolates were told last. */
  readonly #toldAt = new Map<string, number>();

  /**
   * Begins with nobody.
   *
   * @param options Who hears of changes, and after how long typing ends by itself.
   */
  constructor(options: TypingOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? TYPING_TIMEOUT_MS;
  }

  /** How many users are typing. */
  get size(): number {
    return this.#everywhere.size;
  }

  /**
   * Takes a sign of typing.
   *
   * @param connection What it came from.
   * @param user Whose connection that is.
   */
  start(connection: object, user: string): void {
    this.#arm(connection, this.#timeoutMs, () => this.stop(connection, user));
    const isNewHere = this.#here.add(user, connection);
    if (isNewHere || performance.now() - this.#toldAt.get(user)! >= REPEAT_MS) {
      this.#tellHere(user);
    }
    if (this.#everywhere.add(user, connection)) this.#options.onChange(user, true);
  }

  /**
   * Ends the typing of a connection; does nothing where it is not typing.
   *
   * @param connection Which one.
   * @param user Whose it is.
   */
  stop(connection: object, user: string): void {
    this.#disarm(connection);
    if (this.#here.remove(user, connection)) {
      this.#toldAt.delete(user);
      this.#options.onHere?.(user, false);
    }
    if (this.#everywhere.remove(user, connection)) this.#options.onChange(user, false);
  }

  /**
   * Takes what another isolate says of a user.
   *
   * @param isolate Which isolate.
   * @param user Who.
   * @param status Whether they are typing there.
   */
  remote(isolate: string, user: string, status: boolean): void {
    const key = `${isolate}\n${user}`;
    if (!status) {
      this.#disarm(key);
      if (this.#everywhere.remove(user, isolate)) this.#options.onChange(user, false);
      return;
    }
    const wait = this.#timeoutMs + ELSEWHERE_GRACE_MS;
    this.#arm(key, wait, () => this.remote(isolate, user, false));
    if (this.#everywhere.add(user, isolate)) this.#options.onChange(user, true);
  }

  /**
   * Takes note of a message. Said on another isolate, it ended the typing there; the log may bring
   * it sooner than that isolate's own word. Whoever types here all the same is told anew to the
   * others, who took the message for the end of it.
   *
   * @param user Who said it.
   * @param isOurs Whether it was said on this isolate.
   */
  said(user: string, isOurs: boolean): void {
    if (!this.#everywhere.has(user)) return;
    if (!isOurs) {
      for (const holder of this.#everywhere.holders(user)) {
        if (typeof holder === "string") this.remote(holder, user, false);
      }
    }
    if (this.#here.has(user)) this.#tellHere(user);
  }

  /** Forgets everybody without telling anyone, and stops all timers. */
  clear(): void {
    for (const stop of this.#stops.values()) stop.clear();
    this.#stops.clear();
    this.#toldAt.clear();
    this.#here.clear();
    this.#everywhere.clear();
  }

  /** The users who are typing now, sorted. */
  users(): string[] {
    return this.#everywhere.users();
  }

  #tellHere(user: string): void {
    this.#toldAt.set(user, performance.now());
    this.#options.onHere?.(user, true);
  }

  #arm(key: object | string, wait: number, onEnd: () => void): void {
    let stop = this.#stops.get(key);
    if (!stop) this.#stops.set(key, stop = debounce(onEnd, wait));
    stop();
  }

  #disarm(key: object | string): void {
    this.#stops.get(key)?.clear();
    this.#stops.delete(key);
  }
}
