/**
 * A connection to PostgreSQL that hears notifications.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import { withDeadline } from "../deadline.ts";
import type { PostgresAddress } from "./postgres_address.ts";
import { openClient, type Sql } from "./postgres_pool.ts";

/** Milliseconds between two questions whether the connection is alive, and for the answer. */
const PING_MS = 1_000;
const ANSWER_MS = 3_000;
/** Milliseconds until a connection must be there. */
const CONNECT_MS = 5_000;
/** Milliseconds until a connection that is given up must have ended. */
const END_MS = 1_000;
/** Milliseconds between two tries to connect, and how much longer at most. */
const RETRY_MS = 250;
const RETRY_JITTER_MS = 500;

/** How {@linkcode PostgresListener} behaves. */
export interface PostgresListenerOptions {
  /** Where the database is: the server itself, since a pooler hands connections to others. */
  readonly address: PostgresAddress;
  /** The channel. */
  readonly channel: string;
  /** Receives each notification. Must not throw. */
  readonly onNotify: (payload: string) => void;
  /** Called each time when it begins to hear: anything may have happened before. */
  readonly onUp?: () => void;
  /** Called each time when it hears no longer, until it is up again. */
  readonly onDown?: (error: unknown) => void;
}

/** Hears the notifications of one channel. It connects again for ever. */
export class PostgresListener {
  readonly #options: PostgresListenerOptions;
  #sql: Sql | undefined;
  #isClosed = false;
  #wake: (() => void) | undefined;
  readonly #running: Promise<void>;

  /** @param options What to hear. */
  constructor(options: PostgresListenerOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** The connection, while it hears; for what is to be sent over it. */
  get sql(): Sql | undefined {
    return this.#sql;
  }

  /** Ends it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      let failure: unknown;
      try {
        await this.#listen();
      } catch (error) {
        failure = error;
      }
      if (this.#isClosed) break;
      this.#options.onDown?.(failure);
      await this.#pause(RETRY_MS + Math.random() * RETRY_JITTER_MS);
    }
  }

  /** Hears until the connection fails, or this is closed. */
  async #listen(): Promise<void> {
    const { address, channel, onNotify, onUp } = this.#options;
    const lost = Promise.withResolvers<void>();
    // A connection that was lost is not opened again by itself: what it had to hear is lost too.
    const options = {
      max: 1,
      connection: { application_name: "hubbub listen" },
      onnotify: (_: string, payload: string) => onNotify(payload),
      onclose: () => lost.resolve(),
    };
    const sql = openClient(address, options as Parameters<typeof openClient>[1]);
    try {
      await answered(CONNECT_MS, () => sql.unsafe(`listen "${channel}"`));
      this.#sql = sql;
      onUp?.();
      while (!this.#isClosed) {
        await Promise.race([this.#pause(PING_MS), lost.promise]);
        if (this.#isClosed) break;
        const isAlive = await Promise.race([
          answered(ANSWER_MS, () => sql.unsafe("select 1")).then(() => true),
          lost.promise.then(() => false),
        ]);
        if (!isAlive) throw new Error("The connection to PostgreSQL was lost");
      }
    } finally {
      this.#sql = undefined;
      await deadline(sql.end({ timeout: 0 }), END_MS).catch(() => {}); // It was lost in any case.
    }
  }

  async #pause(ms: number): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Settles as a call does; rejects where there is no answer in time. */
async function answered(timeoutMs: number, call: () => PromiseLike<unknown>): Promise<void> {
  await withDeadline(timeoutMs, () => Promise.resolve(call()), () => {
    return new Error(`PostgreSQL did not answer within ${timeoutMs} ms`);
  });
}
