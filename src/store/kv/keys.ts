/**
 * The keys of the database.
 *
 * @module
 */

/** The keys of room logs, all under one prefix. */
export class KvKeys {
  readonly #prefix: Deno.KvKey;
  /** The key that is set in every commit: who watches it wakes. */
  readonly bell: Deno.KvKey;
  /** The key of the database's id. */
  readonly id: Deno.KvKey;
  /** The key that a health check writes. */
  readonly probe: Deno.KvKey;
  /** The key of the isolate that deletes what has expired. */
  readonly sweepLease: Deno.KvKey;
  /** The prefix of what each commit appended to. */
  readonly feed: Deno.KvKey;
  /** The prefix of all rooms. */
  readonly rooms: Deno.KvKey;
  /** The prefix of what is kept of users. */
  readonly users: Deno.KvKey;
  /** The prefix of messages that were deleted and not erased yet, by room and cursor. */
  readonly erase: Deno.KvKey;
  /** The prefix of what commits have left to be done. */
  readonly tasks: Deno.KvKey;
  /** The key that is set while something that was erased may still stand in the file. */
  readonly uncompacted: Deno.KvKey;

  /** @param prefix What stands before every key. */
  constructor(prefix: Deno.KvKey) {
    this.#prefix = [...prefix];
    this.bell = [...prefix, "bell"];
    this.id = [...prefix, "id"];
    this.probe = [...prefix, "probe"];
    this.sweepLease = [...prefix, "lease", "sweep"];
    this.feed = [...prefix, "feed"];
    this.rooms = [...prefix, "rooms"];
    this.users = [...prefix, "users"];
    this.erase = [...prefix, "erase"];
    this.tasks = [...prefix, "tasks"];
    this.uncompacted = [...prefix, "uncompacted"];
  }

  /** The key of a room's entries, without the commit. */
  log(room: string): Deno.KvKey {
    return [...this.rooms, room, "log"];
  }

  /** The key of where a room's log ends: the index and the tag of its newest record. */
  head(room: string): Deno.KvKey {
    return [...this.rooms, room, "head"];
  }

  /** The key of a room's changes, without the commit. */
  changes(room: string): Deno.KvKey {
    return [...this.rooms, room, "changes"];
  }

  /** The key of a room's states, without the message and the name. */
  state(room: string): Deno.KvKey {
    return [...this.rooms, room, "state"];
  }

  /** The key of the commits that edited a message, without the commit. */
  edits(room: string, message?: string): Deno.KvKey {
    const key = [...this.rooms, room, "edits"];
    return message === undefined ? key : [...key, message];
  }

  /** The key of the change that has a name. */
  claim(room: string, name: string): Deno.KvKey {
    return [...this.rooms, room, "refs", name];
  }

  /** The key of the states of a room itself, without the name. */
  controls(room: string): Deno.KvKey {
    return [...this.rooms, room, "controls"];
  }

  /** The key of what a room ever had, without its name. */
  meta(room: string): Deno.KvKey {
    return [...this.rooms, room, "meta"];
  }

  /** The key of the place from which a room's log counts: it was deleted before. */
  from(room: string): Deno.KvKey {
    return [...this.meta(room), "from"];
  }

  /** The key of the place up to which a user is being erased in a room. */
  erasing(room: string, user: string): Deno.KvKey {
    return [...this.meta(room), "erasing", user];
  }

  /** The key of what a commit has left to be done in a room. */
  task(kind: string, room: string, user: string): Deno.KvKey {
    return [...this.tasks, kind, room, user];
  }

  /** The key of the commit up to which the beginning of a room's log was deleted. */
  swept(room: string): Deno.KvKey {
    return [...this.rooms, room, "swept"];
  }

  /** The key of the rooms that a user was in, without the room: its mark is the value. */
  userRooms(user: string): Deno.KvKey {
    return [...this.users, user, "rooms"];
  }

  /** The key that every commit of an isolate checks, so that it can be locked out. */
  fence(isolate: string): Deno.KvKey {
    return [...this.#prefix, "fence", isolate];
  }

  /** Takes the room out of a key below {@linkcode KvKeys.rooms}; undefined where it names none. */
  roomOf(key: Deno.KvKey): string | undefined {
    const room = key[this.rooms.length];
    return typeof room === "string" ? room : undefined;
  }
}
