/**
 * The users that are typing in a room.
 *
 * @module
 */

import { debounce, type DebouncedFunction } from "@std/async/debounce";
import { UserSet } from "../cluster/user_set.ts";
import { TYPING_TIMEOUT_MS } from "../protocol/mod.ts";

/** Milliseconds after which other isolates are told again that a user is typing. */
const REFRESH_MS = 1_500;
/** Milliseconds that typing on another isolate outlasts its time there, where the end got lost. */
const REMOTE_GRACE_MS = 2_000;

/** How {@linkcode Typing} behaves. */
export interface TypingOptions {
  /** Called when a user begins to type on any isolate, and stops on the last. Must not throw. */
  readonly onChange: (user: string, status: boolean) => void;
  /** Called when a user begins and stops to type on this isolate. @default {undefined} */
  readonly onLocalChange?: (user: string, status: boolean) => void;
  /** Called now and then while a user goes on typing on this isolate. @default {undefined} */
  readonly onLocalRefresh?: (user: string) => void;
  /** Milliseconds after the last sign of typing. @default {TYPING_TIMEOUT_MS} */
  readonly timeoutMs?: number;
}

/** What holds a user in the state of typing: a connection, or the id of another isolate. */
type Holder = object | string;

/**
 * The users that are typing. Kept by connection, shown by user: a user with two tabs is typing while
 * either is. Each sign of typing starts the connection's time anew. Nothing is stored.
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
  readonly #users = new UserSet<Holder>();
  readonly #stops = new Map<Holder, DebouncedFunction<[]>>();
  /** By user that types on this isolate, when the other isolates were told last. */
  readonly #localSince = new Map<string, number>();

  /**
   * Starts with nobody typing.
   *
   * @param options What is called on a change, and after how long typing ends by itself.
   */
  constructor(options: TypingOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? TYPING_TIMEOUT_MS;
  }

  /** How many users are typing. */
  get size(): number {
    return this.#users.size;
  }

  /**
   * Starts or renews the typing of a connection.
   *
   * @param connection The connection.
   * @param user The user whose connection it is.
   */
  start(connection: object, user: string): void {
    this.#arm(connection, this.#timeoutMs, () => this.stop(connection, user));
    const refreshedAt = this.#localSince.get(user);
    const now = performance.now();
    if (refreshedAt === undefined) {
      this.#localSince.set(user, now);
      this.#options.onLocalChange?.(user, true);
    } else if (now - refreshedAt >= REFRESH_MS) this.#refresh(user);
    if (this.#users.add(user, connection)) this.#options.onChange(user, true);
  }

  /**
   * Ends the typing of a connection; does nothing where it is not typing.
   *
   * @param connection The connection.
   * @param user The user whose connection it is.
   */
  stop(connection: object, user: string): void {
    this.#disarm(connection);
    if (!this.#users.holders(user).has(connection)) return;
    const hasStopped = this.#users.remove(user, connection);
    if (hasStopped || ![...this.#users.holders(user)].some(isLocal)) {
      this.#localSince.delete(user);
      this.#options.onLocalChange?.(user, false);
    }
    if (hasStopped) this.#options.onChange(user, false);
  }

  /**
   * Sets whether a user is typing on another isolate.
   *
   * @param isolate The id of the isolate.
   * @param user The user.
   * @param status Whether the user is typing there.
   */
  setRemote(isolate: string, user: string, status: boolean): void {
    const key = `${isolate}\n${user}`;
    if (!status) {
      this.#disarm(key);
      if (this.#users.remove(user, isolate)) this.#options.onChange(user, false);
      return;
    }
    const wait = this.#timeoutMs + REMOTE_GRACE_MS;
    this.#arm(key, wait, () => this.setRemote(isolate, user, false));
    if (this.#users.add(user, isolate)) this.#options.onChange(user, true);
  }

  /**
   * Ends typing on other isolates because of a message, which the log may bring sooner than the
   * isolate's own word. A user that is typing here all the same is announced anew to the other
   * isolates, which took the message for the end of it.
   *
   * @param user The user that sent the message.
   * @param isLocal Whether it was sent on this isolate.
   */
  endByMessage(user: string, isLocal: boolean): void {
    if (!this.#users.has(user)) return;
    if (!isLocal) {
      for (const holder of [...this.#users.holders(user)]) {
        if (typeof holder === "string") this.setRemote(holder, user, false);
      }
    }
    if (this.#localSince.has(user)) this.#refresh(user);
  }

  /** Forgets everybody without calling anything, and stops all timers. */
  clear(): void {
    for (const stop of this.#stops.values()) stop.clear();
    this.#stops.clear();
    this.#localSince.clear();
    this.#users.clear();
  }

  /** The users that are typing now, sorted. */
  users(): string[] {
    return this.#users.users();
  }

  #refresh(user: string): void {
    this.#localSince.set(user, performance.now());
    this.#options.onLocalRefresh?.(user);
  }

  #arm(key: Holder, wait: number, onEnd: () => void): void {
    let stop = this.#stops.get(key);
    if (!stop) this.#stops.set(key, stop = debounce(onEnd, wait));
    stop();
  }

  #disarm(key: Holder): void {
    this.#stops.get(key)?.clear();
    this.#stops.delete(key);
  }
}

function isLocal(holder: Holder): boolean {
  return typeof holder === "object";
}
