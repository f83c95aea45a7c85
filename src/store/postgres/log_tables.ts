/**
 * Tables of logs, in PostgreSQL: the first migration.
 *
 * @module
 */

import { LOCK } from "./advisory_lock.ts";

/** Tables of logs, and the function that commits. What stands here is never changed: a database may have it already. */
export const LOG_TABLES: string = `
create table @.system (name text primary key, value text not null);
insert into @.system values ('id', gen_random_uuid()::text);

create sequence @.places as bigint;

-- Where the log of each room ends, and what was deleted of its beginning.
create table @.rooms (
  room text collate "C" primary key,
  place bigint not null,
  index integer not null,
  tag integer not null,
  swept text
);

-- What one room got in one commit: JSON lines.
create table @.entries (
  room text collate "C" not null,
  place bigint not null,
  body text not null,
  primary key (room, place)
);

-- Which rooms each commit appended to, for a while.
create table @.feed (place bigint primary key, rooms text not null);

-- Who commits: one that was given up is locked out by a greater generation.
create table @.writers (
  id uuid primary key,
  generation integer not null,
  seen timestamptz not null default now()
);

create table @.leases (name text primary key, until bigint not null, holder text);

create function @.commit_of(place bigint) returns text immutable language sql
as $$ select lpad(to_hex(place), 20, '0') $$;

-- Lets a writer commit, and nobody any more that used its name before.
create function @.enter(p_writer uuid, p_generation integer) returns void
language plpgsql set lock_timeout to '5s' as $$
begin
  perform pg_advisory_xact_lock(${LOCK});
  insert into @.writers (id, generation) values (p_writer, p_generation)
    on conflict (id) do update set generation = excluded.generation, seen = now();
  delete from @.writers where seen < now() - interval '30 days';
end $$;

-- One commit. The lock is held until it is durable: places are seen in their order.
create function @.append(
  p_writer uuid, p_generation integer,
  p_rooms text, p_bodies text, p_indexes integer[], p_tags integer[]
) returns text language plpgsql set lock_timeout to '5s' as $$
declare
  v_place bigint;
begin
  perform pg_advisory_xact_lock(${LOCK});
  if not exists (
    select from @.writers where id = p_writer and generation = p_generation
  ) then
    raise exception using errcode = 'HB001', message = 'This writer was locked out';
  end if;
  v_place := nextval('@.places');
  insert into @.entries (room, place, body)
    select room, v_place, body
    from unnest(string_to_array(p_rooms, ' '), string_to_array(p_bodies, E'\\x01'))
      as given (room, body);
  insert into @.rooms (room, place, index, tag)
    select room, v_place, index, tag
    from unnest(string_to_array(p_rooms, ' '), p_indexes, p_tags) as given (room, index, tag)
    on conflict (room) do update
      set place = excluded.place, index = excluded.index, tag = excluded.tag;
  insert into @.feed values (v_place, p_rooms);
  if v_place % 256 = 0 then
    delete from @.feed where place < v_place - 16384;
  end if;
  perform pg_notify('@', @.commit_of(v_place));
  return @.commit_of(v_place);
end $$;
`;
