/**
 * Connections to PostgreSQL: a deadline for every call, and new ones where they do not answer.
 *
 * @module
 */

// Not in deno.json: every start would download it.
// deno-lint-ignore no-import-prefix
import postgres from "npm:postgres@3.4.9";
import { StoreTimeoutError, withDeadline } from "../deadline.ts";
import type { StoreEvent } from "../store_event.ts";
import { migrationOf } from "./migrations.ts";
import type { PostgresAddress } from "./postgres_address.ts";

/** A client of PostgreSQL. */
export type Sql = postgres.Sql;

/** Connections that are open at the same time. */
const CONNECTIONS = 8;
/** Seconds until a connection must be there. */
const CONNECT_SECONDS = 5;
/** Seconds before a connection that failed is tried again. */
const BACKOFF_SECONDS = 0.2;
/** Milliseconds before it is tried again to open connections anew. */
const REOPEN_RETRY_MS = 1_000;
/** Times that a call is made whose connection was lost, and milliseconds between them at first. */
const ATTEMPTS_MAX = 3;
const ATTEMPT_MS = 50;
/** What says that a connection was lost: terminated by an operator, by a crash, or by the network. */
const LOST: ReadonlySet<unknown> = new Set([
  "57P01",
  "57P02",
  "CONNECTION_CLOSED",
  "ECONNRESET",
  "EPIPE",
]);
/** What a commit is refused with whose writer was locked out. */
const LOCKED_OUT = "HB001";

/** How {@linkcode PostgresPool} behaves. */
export interface PostgresPoolOptions {
  /** Where the database is. */
  readonly address: PostgresAddress;
  /** The schema. */
  readonly schema: string;
  /** Milliseconds that a call may take. */
  readonly timeoutMs: number;
  /** Whether a pooler such as PgBouncer stands between, which gives each statement any connection. */
  readonly isPooled: boolean;
  /** Receives events. */
  readonly onEvent: (event: StoreEvent) => void;
}

/**
 * Opens a client.
 *
 * @param address Where the database is.
 * @param options More options for the client.
 * @returns The client, which connects when it is used.
 */
export function openClient(address: PostgresAddress, options: postgres.Options<never>): Sql {
  const { host, port, database, user, password, ssl } = address;
  // All of it is said, since what is left out is looked for in the environment.
  return postgres({
    host: host.length === 1 ? host[0] : host as unknown as string,
    port: port.length === 1 ? port[0] : port as unknown as number,
    database,
    user,
    pass: () => password,
    ssl: ssl as boolean,
    sslnegotiation: null,
    // After a failover the first host may only be read.
    target_session_attrs: "read-write",
    connect_timeout: CONNECT_SECONDS,
    idle_timeout: null,
    max_lifetime: null,
    keep_alive: 5,
    backoff: () => BACKOFF_SECONDS * (0.5 + Math.random()),
    max: CONNECTIONS,
    max_pipeline: 100,
    prepare: true,
    debug: false,
    fetch_types: false,
    publications: "",
    onnotice() {},
    ...options,
  } as unknown as postgres.Options<never>) as unknown as Sql;
}

/**
 * Connections to a database that answers within a bounded time, or is connected to anew.
 *
 * A commit of a connection that was given up may still be on its way. So that it cannot land later,
 * every commit names its writer and a generation, and a new connection raises it first.
 */
export class PostgresPool {
  readonly #options: PostgresPoolOptions;
  readonly #writer = crypto.randomUUID();
  #generation = 1;
  #sql: Sql;
  #reopening: Promise<void> | undefined;
  #isClosed = false;
  readonly #running = new Set<Promise<unknown>>();

  /** @param options Where the database is, and how long calls may take. */
  constructor(options: PostgresPoolOptions) {
    this.#options = options;
    this.#sql = this.#open();
  }

  /**
   * Brings the database up to date, and lets this writer commit.
   *
   * @returns What the operator should know of how the server is set.
   * @throws Whatever the database rejects with.
   */
  async enter(): Promise<StoreEvent[]> {
    const { schema } = this.#options;
    await this.call("migrate", (sql) => sql.unsafe(migrationOf(schema)));
    await this.call("enter", (sql) => this.#enter(sql));
    const [{ encoding, sync }] = await this.call("look at settings", (sql) => {
      return sql.unsafe<{ encoding: string; sync: string }[]>(
        "select current_setting('server_encoding') as encoding, " +
          "current_setting('synchronous_commit') as sync",
      );
    });
    if (encoding !== "UTF8") {
      throw new Error(`The database is encoded in ${encoding}: messages need UTF8`);
    }
    return sync === "off" ? [{ type: "store_not_durable" }] : [];
  }

  /**
   * Calls the database, and again where the connection was lost meanwhile: those that are idle may
   * have been closed by the server, which is seen when they are used.
   *
   * @param name What is called, for the error.
   * @param action The call, which may be made twice; calls `progress` where it takes several steps.
   * @param timeoutMs Milliseconds that each step may take.
   * @returns What the action returns.
   * @throws {StoreTimeoutError} Where there was no answer in time.
   */
  async call<T>(
    name: string,
    action: (sql: Sql, progress: () => void) => PromiseLike<T>,
    timeoutMs: number = this.#options.timeoutMs,
  ): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#once(name, action, timeoutMs);
      } catch (error) {
        if (attempt === ATTEMPTS_MAX || !LOST.has(codeOf(error))) throw error;
        await new Promise((resolve) => setTimeout(resolve, attempt * ATTEMPT_MS));
      }
    }
  }

  async #once<T>(
    name: string,
    action: (sql: Sql, progress: () => void) => PromiseLike<T>,
    timeoutMs: number,
  ): Promise<T> {
    let ended: Promise<unknown> = Promise.resolve();
    let used = this.#sql;
    return await withDeadline(timeoutMs, async (progress) => {
      if (this.#reopening) await this.#reopening;
      used = this.#sql;
      const running = Promise.resolve(action(used, progress));
      ended = running.catch(() => {});
      this.#running.add(ended);
      ended.finally(() => this.#running.delete(ended));
      return await running;
    }, () => this.#timedOut(name, { timeoutMs, used, ended }));
  }

  /**
   * Commits.
   *
   * @param append Calls the function of the database for a writer of a generation.
   * @returns What that returns.
   * @throws {StoreTimeoutError} Where there was no answer in time.
   */
  async commit(
    append: (sql: Sql, writer: string, generation: number) => PromiseLike<string>,
  ): Promise<string> {
    // Not again: it may have been stored.
    return await this.#once("commit", async (sql) => {
      for (let attempt = 0;; attempt++) {
        try {
          return await append(sql, this.#writer, this.#generation);
        } catch (error) {
          // Nothing was written. Where the database was put back it does not know this writer.
          if (codeOf(error) !== LOCKED_OUT || sql !== this.#sql || attempt > 2) throw error;
          await this.#enter(sql);
        }
      }
    }, this.#options.timeoutMs);
  }

  /** Settles when the calls that were made before are answered. Never rejects. */
  async answered(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Closes all connections, and opens none any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sql.end({ timeout: 1 });
  }

  #open(): Sql {
    const { address, isPooled, timeoutMs } = this.#options;
    // The server gives up before the client does, so that the answer is its own. A pooler refuses
    // such settings, and prepared statements belong to one of its connections.
    const settings = {
      application_name: "hubbub",
      statement_timeout: Math.ceil(timeoutMs * 0.8),
      lock_timeout: Math.ceil(timeoutMs * 0.5),
    };
    return openClient(
      address,
      isPooled
        ? { prepare: false, connection: { application_name: "hubbub" } }
        : { connection: settings },
    );
  }

  async #enter(sql: Sql): Promise<void> {
    const { schema } = this.#options;
    await sql.unsafe(`select ${schema}.enter($1, $2)`, [this.#writer, this.#generation]);
  }

  #timedOut(
    name: string,
    call: { timeoutMs: number; used: Sql; ended: Promise<unknown> },
  ): StoreTimeoutError {
    if (call.used === this.#sql && !this.#isClosed) this.#reopening ??= this.#reopen();
    const ended = call.ended.then(() => {});
    const settled = this.#reopening ? Promise.race([ended, this.#reopening]) : ended;
    const error = new StoreTimeoutError(name, call.timeoutMs, settled);
    this.#options.onEvent({ type: "store_timeout", error });
    return error;
  }

  /** Never rejects. */
  async #reopen(): Promise<void> {
    const { onEvent, timeoutMs } = this.#options;
    const abandoned = this.#sql;
    // Its connections end on this side; what they have sent may still arrive.
    abandoned.end({ timeout: 0 }).catch(() => {});
    let hasFailed = false;
    while (!this.#isClosed) {
      const sql = this.#open();
      this.#generation++;
      try {
        await withDeadline(timeoutMs, () => this.#enter(sql), () => {
          return new Error("The database was connected to anew and does not answer");
        });
        this.#sql = sql;
        break;
      } catch (error) {
        sql.end({ timeout: 0 }).catch(() => {});
        if (!hasFailed) onEvent({ type: "store_reopen_failed", error });
        hasFailed = true;
        await new Promise((resolve) => setTimeout(resolve, REOPEN_RETRY_MS));
      }
    }
    this.#reopening = undefined;
    if (this.#sql === abandoned) return;
    if (this.#isClosed) await this.#sql.end({ timeout: 0 });
    else onEvent({ type: "store_reopened" });
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
