/**
 * Tables of what is kept of users, in PostgreSQL: the fourth migration.
 *
 * @module
 */

/**
 * The table of the rooms that users were in, with their read marks. What stands here is never
 * changed: a database may have it already.
 */
export const USER_TABLES: string = `
-- The rooms that users were in, and how far they have read: up to a commit.
create table @.user_rooms (
  who text collate "C" not null,
  room text collate "C" not null,
  mark text collate "C" not null,
  primary key (who, room)
);
`;
