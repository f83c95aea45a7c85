/**
 * What the feed tells of commits, in PostgreSQL: the fourth migration.
 *
 * @module
 */

/**
 * A mark for each commit, by which it is known again: a database that was put back may have another
 * one at the same place. What stands here is never changed: a database may have it already.
 */
export const FEED_TABLES: string = `
alter table @.feed add mark integer not null default floor(random() * 2147483647)::integer;
`;
