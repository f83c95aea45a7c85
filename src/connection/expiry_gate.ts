/**
 * The end of a connection's time.
 *
 * @module
 */

import type { CloseName } from "./inbound.ts";
import type { TokenRefresh } from "./token_refresh.ts";

/** Frames that are held while a session is verified once more. */
const HELD_MAX = 64;

/** How an {@linkcode ExpiryGate} behaves. */
export interface ExpiryGateOptions {
  /** Tells how long the connection may stay, and verifies its session once more. */
  readonly lifetime: Pick<TokenRefresh, "expire" | "expiresAt">;
  /** Receives the data of a message. */
  readonly receive: (data: unknown) => void;
  /** Ends the connection. */
  readonly end: (name: CloseName, reason: string) => void;
  /** Runs what may throw. */
  readonly guard: (action: () => void) => void;
}

/**
 * Lets through what a peer says while its time lasts. When that is over, and its session may be good
 * for longer, what it says is held until that is known.
 */
export class ExpiryGate {
  readonly #options: ExpiryGateOptions;
  #held: unknown[] | undefined;

  /** @param options How long the connection may stay, and what receives its messages. */
  constructor(options: ExpiryGateOptions) {
    this.#options = options;
  }

  /**
   * Takes the data of a message.
   *
   * @param data The data.
   */
  take(data: unknown): void {
    const { lifetime, receive, end } = this.#options;
    // The connections are looked at once a second; nothing may be said in between.
    if (lifetime.expiresAt > Date.now()) return receive(data);
    this.expire();
    if (!this.#held || this.#held.push(data) <= HELD_MAX) return;
    end("notAllowed", "Too much was sent while the session was verified");
  }

  /** Ends the connection, unless its session is still to be verified: its time is over. */
  expire(): void {
    if (this.#held) return;
    const { lifetime, end, guard } = this.#options;
    const how = lifetime.expire();
    if (how === "over") return end("notAllowed", "The token has expired");
    if (how === "unknown") return end("internalError", "The session cannot be verified now");
    const held: unknown[] = this.#held = [];
    void how.then(() =>
      guard(() => {
        this.#held = undefined;
        if (lifetime.expiresAt <= Date.now()) this.expire();
        else for (const data of held) this.take(data);
      })
    );
  }
}
