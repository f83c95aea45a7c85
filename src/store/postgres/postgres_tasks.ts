/**
 * Work that commits leave behind, in PostgreSQL.
 *
 * @module
 */

import {
  type StoreTask,
  StoreTasks,
  type StoreTasksOptions,
  type TaskName,
  type TaskStep,
} from "../store_tasks.ts";
import type { PostgresClearer } from "./postgres_clearer.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import type { PostgresUserEraser } from "./postgres_user_eraser.ts";

/** Tasks that one look finds. */
const LIST_MAX = 1_000;

/** What {@linkcode PostgresTasks} works at. */
export interface PostgresTasksOptions extends StoreTasksOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
  /** Deletes what stood in deleted rooms. */
  readonly clearer: PostgresClearer;
  /** Erases what users wrote. */
  readonly userEraser: PostgresUserEraser;
}

/** A task as the database gives it; times by its clock. */
interface Row {
  readonly kind: TaskName["kind"];
  readonly room: string;
  readonly who: string;
  readonly after: string;
  readonly age: number;
  readonly idle: number;
  readonly version: number;
}

const COLUMNS = `kind, room, who, after, version,
  (1000 * extract(epoch from now() - since))::float8 as age,
  (1000 * extract(epoch from now() - coalesce(at, since)))::float8 as idle`;
const OF_NAME = "kind = $1 and room = $2 and who = $3";

/** Does what commits have left to be done. */
export class PostgresTasks extends StoreTasks {
  readonly #options: PostgresTasksOptions;

  /** @param options The database, and who does what. */
  constructor(options: PostgresTasksOptions) {
    super(options);
    this.#options = options;
  }

  protected override async list(): Promise<readonly StoreTask[]> {
    const rows = await this.#query(
      `select ${COLUMNS} from @.tasks order by kind, room, who limit ${LIST_MAX}`,
      [],
    );
    return rows.map(taskOf);
  }

  protected override async find({ kind, room, user }: TaskName): Promise<StoreTask | undefined> {
    const rows = await this.#query(
      `select ${COLUMNS} from @.tasks where ${OF_NAME}`,
      [kind, room, user],
    );
    return rows.map(taskOf)[0];
  }

  protected override async claim(task: StoreTask): Promise<StoreTask | undefined> {
    const { kind, room, user, version, after } = task;
    const rows = await this.#query(
      `update @.tasks set at = now(), after = $5, version = version + 1
      where ${OF_NAME} and version = $4 returning ${COLUMNS}`,
      [kind, room, user, version, after],
    );
    return rows.map(taskOf)[0];
  }

  protected override async end({ kind, room, user, version }: StoreTask): Promise<void> {
    const ended = await this.#query(
      `delete from @.tasks where ${OF_NAME} and version = $4 returning ${COLUMNS}`,
      [kind, room, user, version],
    );
    if (ended.length === 0 || kind !== "erase_user") return;
    await this.#query("delete from @.erasing where room = $1 and who = $2", [room, user]);
  }

  protected override async step(task: StoreTask): Promise<TaskStep> {
    const { clearer, userEraser } = this.#options;
    return await (task.kind === "clear" ? clearer : userEraser).step(task);
  }

  async #query(text: string, values: string[]): Promise<Row[]> {
    const { pool, schema } = this.#options;
    return await pool.call("erase", async (sql) => {
      return [...await sql.unsafe<Row[]>(text.replaceAll("@", schema), values, { prepare: true })];
    });
  }
}

function taskOf({ kind, room, who, after, age, idle, version }: Row): StoreTask {
  return { kind, room, user: who, after, ageMs: age, idleMs: idle, version: String(version) };
}
