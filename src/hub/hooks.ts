/**
 * Hooks of an embedding program, called after the fact.
 *
 * @module
 */

import type { Message, Role } from "../protocol/mod.ts";
import { type LogRecord, messageText } from "../store/entry.ts";
import { type Guard, isThenable } from "../telemetry/guard.ts";

/** A stay of a user in a room, on one connection. */
export interface Stay {
  /** The room. */
  readonly room: string;
  /** The user. */
  readonly user: string;
  /** A name that is shown beside the user. */
  readonly name?: string;
  /** What the user may do there. */
  readonly role: Role;
}

/**
 * Called after the fact, on the isolate that stored the message or holds the connection, and on no
 * other; once, and not again after a crash. What they return is not waited for; one that throws or
 * rejects is counted and logged, and changes nothing.
 */
export interface HubHooks {
  /**
   * Called when a message was stored.
   *
   * @param message The message, as members see it.
   */
  readonly onMessage?: (message: Message) => unknown;
  /**
   * Called when a connection of a user has joined a room, unless it is not shown as here.
   *
   * @param stay Who, and where.
   */
  readonly onJoin?: (stay: Stay) => unknown;
  /**
   * Called when such a connection has left.
   *
   * @param stay Who, and where.
   */
  readonly onLeave?: (stay: Stay) => unknown;
}

/** A subscription, as far as hooks are concerned. */
interface HookedSubscription {
  readonly user: string | undefined;
  readonly presence: boolean;
  readonly role: Role;
  readonly member: { readonly name?: string };
}

/**
 * Calls hooks, guarded.
 *
 * @example
 * ```ts
 * import { jsonLogger, Metrics } from "@hubbub/hub";
 * import { Guard } from "../telemetry/guard.ts";
 * import { Hooks } from "./hooks.ts";
 *
 * const guard = new Guard({ logger: jsonLogger(), metrics: new Metrics() });
 * const hooks = new Hooks({ onJoin: ({ room, user }) => console.log(user, room) }, guard);
 * const ann = { user: "ann", presence: true, role: "member", member: {} } as const;
 * hooks.joined("lobby", ann); // ann lobby
 * ```
 */
export class Hooks {
  readonly #hooks: HubHooks;
  readonly #guard: Guard;

  /**
   * Creates the hooks of a hub.
   *
   * @param hooks The functions to call.
   * @param guard What is told of those that fail.
   */
  constructor(hooks: HubHooks, guard: Guard) {
    this.#hooks = hooks;
    this.#guard = guard;
  }

  /**
   * Tells that this isolate has stored a message. Never throws.
   *
   * @param record The message.
   */
  stored(record: LogRecord): void {
    const { onMessage } = this.#hooks;
    if (onMessage) this.#run(() => onMessage(JSON.parse(messageText(record))));
  }

  /**
   * Tells that a member has joined. Never throws.
   *
   * @param room The room.
   * @param subscription The member's subscription.
   */
  joined(room: string, subscription: HookedSubscription): void {
    this.#tell(this.#hooks.onJoin, room, subscription);
  }

  /**
   * Tells that a member that had joined has left. Never throws.
   *
   * @param room The room.
   * @param subscription The member's subscription.
   */
  left(room: string, subscription: HookedSubscription): void {
    this.#tell(this.#hooks.onLeave, room, subscription);
  }

  #tell(
    hook: ((stay: Stay) => unknown) | undefined,
    room: string,
    { user, presence, role, member: { name } }: HookedSubscription,
  ): void {
    if (!hook || user === undefined || !presence) return;
    this.#run(() => hook({ room, user, role, ...(name !== undefined && { name }) }));
  }

  #run(hook: () => unknown): void {
    this.#guard.run("hook_failed", () => {
      const result = hook();
      if (isThenable(result)) {
        result.then(undefined, (error) => this.#guard.failed("hook_failed", error));
      }
    });
  }
}
