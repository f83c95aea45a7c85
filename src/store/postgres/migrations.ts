/**
 * The tables and functions in PostgreSQL, and how they came to be.
 *
 * @module
 */

/** The lock that commits and migrations take, in the database: the first digits of e. */
export const LOCK = "2718281828459045";

/**
 * What makes a database of one version one of the next. What stands here is never changed: a database
 * may have it already. `@` stands for the schema.
 */
export const MIGRATIONS: readonly string[] = [
  `
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
`,
  `
alter table @.rooms
  add has_changes boolean not null default false,
  add has_controls boolean not null default false;

-- What one room got of changes in one commit: JSON lines.
create table @.changes (
  room text collate "C" not null,
  place bigint not null,
  body text not null,
  primary key (room, place)
);

-- The states of messages, and with no message those of rooms: of each name the last write.
create table @.states (
  room text collate "C" not null,
  message text collate "C" not null,
  name text collate "C" not null,
  value text not null,
  place bigint not null,
  index integer not null,
  tag integer not null,
  primary key (room, message, name)
);

-- Which commits edited a message.
create table @.edits (
  room text collate "C" not null,
  message text collate "C" not null,
  place bigint not null,
  primary key (room, message, place)
);

-- Messages that were deleted and are not erased yet.
create table @.erasures (
  room text collate "C" not null,
  message text collate "C" not null,
  since timestamptz not null default now(),
  primary key (room, message)
);

drop function @.append(uuid, integer, text, text, integer[], integer[]);

-- One commit. The lock is held until it is durable: places are seen in their order.
create function @.append(
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
  end if;
  insert into @.feed values (v_place, p_rooms);
  if v_place % 256 = 0 then
    delete from @.feed where place < v_place - 16384;
  end if;
  perform pg_notify('@', @.commit_of(v_place));
  return @.commit_of(v_place);
end $$;
`,
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
