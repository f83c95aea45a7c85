/**
 * The tables and functions in PostgreSQL, and how they came to be.
 *
 * @module
 */

import { LOCK } from "./advisory_lock.ts";
import { CHANGE_TABLES } from "./change_tables.ts";
import { CLAIM_TABLES } from "./claim_tables.ts";
import { FEED_TABLES } from "./feed_tables.ts";
import { LOG_TABLES } from "./log_tables.ts";
import { TASK_TABLES } from "./task_tables.ts";
import { USER_TABLES } from "./user_tables.ts";

/**
 * What makes a database of one version one of the next. What stands here is never changed: a database
 * may have it already. `@` stands for the schema.
 */
export const MIGRATIONS: readonly string[] = [
  LOG_TABLES,
  CHANGE_TABLES,
  TASK_TABLES,
  USER_TABLES,
  CLAIM_TABLES,
  FEED_TABLES,
];

/**
 * Gives the statements that bring a database up to date: one text, to be run as one transaction.
 *
 * @param schema The schema, which is made where there is none.
 * @returns The text. It leaves a database alone that is up to date.
 */
export function migrationOf(schema: string): string {
  const steps = MIGRATIONS.map((text, index) => `
if v_version < ${index + 1} then
${escaped(text.replaceAll("@", schema))}
insert into ${schema}.migrations (version) values (${index + 1});
end if;`);
  return `
do $hubbub$
declare
  v_version integer;
begin
  perform pg_advisory_xact_lock(${LOCK});
  -- A session that waited for the lock sees what the one before it has made.
  create schema if not exists ${schema};
  create table if not exists ${schema}.migrations (
    version integer primary key,
    at timestamptz not null default now()
  );
  select coalesce(max(version), 0) into v_version from ${schema}.migrations;
  if v_version > ${MIGRATIONS.length} then
    raise exception 'The database is of version %, which is newer than this program', v_version;
  end if;
  ${steps.join("\n")}
end
$hubbub$`;
}

/** Statements as those of a block: each run by itself, since some need what those before made. */
function escaped(text: string): string {
  return `execute $migration$${text}$migration$;`;
}
