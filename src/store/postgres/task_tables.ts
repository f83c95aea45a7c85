/**
 * Tables of what commits leave to be done, in PostgreSQL: the third migration.
 *
 * @module
 */

import { LOCK } from "./advisory_lock.ts";

/** Tables of deleted rooms and erased users, and the function that commits their records too. What stands here is never changed: a database may have it already. */
export const TASK_TABLES: string = `
alter table @.rooms add from_place bigint, add from_index integer, add from_tag integer;

-- Users that are being erased, and up to where.
create table @.erasing (
  room text collate "C" not null,
  who text collate "C" not null,
  place bigint not null,
  index integer not null,
  tag integer not null,
  primary key (room, who)
);

-- What commits have left to be done.
create table @.tasks (
  kind text not null,
  room text collate "C" not null,
  who text collate "C" not null,
  since timestamptz not null default now(),
  at timestamptz,
  after text not null default '',
  version integer not null default 0,
  primary key (kind, room, who)
);

-- One commit. The lock is held until it is durable: places are seen in their order.
create or replace function @.append(
  p_writer uuid, p_generation integer,
  p_rooms text, p_bodies text, p_indexes integer[], p_tags integer[], p_changes text
) returns text language plpgsql set lock_timeout to '5s' as $$
declare
  v_place bigint;
  v_changes json := p_changes::json;
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
      as given (room, body) where body <> '';
  insert into @.rooms (room, place, index, tag)
    select room, v_place, index, tag
    from unnest(string_to_array(p_rooms, ' '), p_indexes, p_tags) as given (room, index, tag)
    on conflict (room) do update
      set place = excluded.place, index = excluded.index, tag = excluded.tag;
  if v_changes is not null then
    insert into @.changes (room, place, body)
      select room, v_place, body
      from json_to_recordset(v_changes->'rooms') as given (room text, body text);
    update @.rooms as known
      set has_changes = true, has_controls = known.has_controls or given.controls
      from json_to_recordset(v_changes->'rooms') as given (room text, controls boolean)
      where known.room = given.room;
    insert into @.states (room, message, name, value, place, index, tag)
      select room, message, name, value, v_place, index, tag
      from json_to_recordset(v_changes->'states') as given
        (room text, message text, name text, value text, index integer, tag integer)
      where value is not null
      on conflict (room, message, name) do update
        set value = excluded.value, place = excluded.place,
          index = excluded.index, tag = excluded.tag;
    delete from @.states as known
      using json_to_recordset(v_changes->'states') as given
        (room text, message text, name text, value text)
      where given.value is null and known.room = given.room
        and known.message = given.message and known.name = given.name;
    insert into @.edits (room, message, place)
      select distinct room, message, v_place
      from json_to_recordset(v_changes->'edits') as given (room text, message text);
    insert into @.erasures (room, message)
      select distinct room, message
      from json_to_recordset(v_changes->'deletes') as given (room text, message text)
      on conflict do nothing;
    -- A room that is deleted counts from here on.
    update @.rooms as known
      set from_place = v_place, from_index = given.index, from_tag = given.tag,
        has_changes = given.changes, has_controls = given.controls
      from json_to_recordset(v_changes->'clears') as given
        (room text, index integer, tag integer, changes boolean, controls boolean)
      where known.room = given.room;
    insert into @.erasing (room, who, place, index, tag)
      select room, who, v_place, index, tag
      from json_to_recordset(v_changes->'erases') as given
        (room text, who text, index integer, tag integer)
      on conflict (room, who) do update
        set place = excluded.place, index = excluded.index, tag = excluded.tag;
    insert into @.tasks as known (kind, room, who)
      select 'clear', room, ''
      from json_to_recordset(v_changes->'clears') as given (room text)
      union all
      select 'erase_user', room, who
      from json_to_recordset(v_changes->'erases') as given (room text, who text)
      on conflict (kind, room, who) do update
        set since = now(), at = null, after = '', version = known.version + 1;
  end if;
  insert into @.feed values (v_place, p_rooms);
  if v_place % 256 = 0 then
    delete from @.feed where place < v_place - 16384;
  end if;
  perform pg_notify('@', @.commit_of(v_place));
  return @.commit_of(v_place);
end $$;
`;
