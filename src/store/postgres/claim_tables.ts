/**
 * Names of changes in PostgreSQL: the fifth migration.
 *
 * @module
 */

import { LOCK } from "./advisory_lock.ts";

/** The table of names, and the function that refuses commits whose names are taken. What stands here is never changed: a database may have it already. */
export const CLAIM_TABLES: string = `
-- Names that changes have, so that a change that is sent again is made once: for a while.
create table @.claims (
  room text collate "C" not null,
  name text collate "C" not null,
  place bigint not null,
  index integer not null,
  tag integer not null,
  hash bigint not null,
  id text not null,
  at timestamptz not null default now(),
  primary key (room, name)
);
create index on @.claims (at);

-- One commit. The lock is held until it is durable: places are seen in their order.
create or replace function @.append(
  p_writer uuid, p_generation integer,
  p_rooms text, p_bodies text, p_indexes integer[], p_tags integer[], p_changes text
) returns text language plpgsql set lock_timeout to '5s' as $$
declare
  v_place bigint;
  v_changes json := p_changes::json;
  v_claimed json;
begin
  perform pg_advisory_xact_lock(${LOCK});
  if not exists (
    select from @.writers where id = p_writer and generation = p_generation
  ) then
    raise exception using errcode = 'HB001', message = 'This writer was locked out';
  end if;
  if v_changes is not null then
    select json_agg(json_build_object('id', given.id, 'commit', @.commit_of(known.place),
        'index', known.index, 'tag', known.tag, 'hash', known.hash, 'holder', known.id))
      into v_claimed
      from json_to_recordset(v_changes->'claims') as given (room text, name text, id text)
      join @.claims as known on known.room = given.room and known.name = given.name;
    if v_claimed is not null then
      raise exception using errcode = 'HB002', message = 'Changes were made before',
        detail = v_claimed::text;
    end if;
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
    insert into @.claims (room, name, place, index, tag, hash, id)
      select room, name, v_place, index, tag, hash, id
      from json_to_recordset(v_changes->'claims') as given
        (room text, name text, index integer, tag integer, hash bigint, id text);
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
    delete from @.claims where at < now() - interval '3 minutes';
  end if;
  perform pg_notify('@', @.commit_of(v_place));
  return @.commit_of(v_place);
end $$;
`;
