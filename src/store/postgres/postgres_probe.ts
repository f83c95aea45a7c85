/**
 * Whether PostgreSQL works, for health checks.
 *
 * @module
 */

import type { PostgresPool } from "./postgres_pool.ts";

/** Milliseconds between two writes of health checks, so that a full disk shows. */
const WRITE_EVERY_MS = 10_000;

/** What {@linkcode PostgresProbe} asks. */
export interface PostgresProbeOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed: () => number;
}

/** Asks for an answer, and writes a row now and then. */
export class PostgresProbe {
  readonly #options: PostgresProbeOptions;
  #writtenAt = -Infinity;

  /** @param options What to ask. */
  constructor(options: PostgresProbeOptions) {
    this.#options = options;
  }

  /**
   * Asks the database.
   *
   * @param timeoutMs Milliseconds that it has for the answer.
   * @throws What is wrong with it.
   */
  async run(timeoutMs: number): Promise<void> {
    const { pool, schema, elapsed } = this.#options;
    const isDue = elapsed() - this.#writtenAt >= WRITE_EVERY_MS;
    const text = isDue
      ? `insert into ${schema}.system values ('probe', now()::text) ` +
        "on conflict (name) do update set value = excluded.value"
      : "select 1";
    await pool.call("probe", (sql) => sql.unsafe(text), timeoutMs);
    if (isDue) this.#writtenAt = elapsed();
  }
}
