/**
 * The users that are present in one room, on all isolates.
 *
 * @module
 */

import type { PresenceChange, PresenceSnapshot } from "./cluster_message.ts";
import { DisplayNames } from "./display_names.ts";
import type { OpeningAnswers } from "./opening_answers.ts";
import { UserSet } from "./user_set.ts";

/** Milliseconds after which an isolate is asked again, where no answer came. */
const ASK_AGAIN_MS = 250;

/** What holds a user in a room: a connection to this isolate, or the id of another isolate. */
type Holder = object | string;

/** What is known of a user beside that it is here. */
export interface PresentUser {
  /** The display name. @default {undefined} none */
  readonly name?: string;
  /** Whether the user is a moderator of the room. @default {false} */
  readonly isModerator?: boolean;
}

/** A snapshot of which not all pieces have come. */
interface PartialSnapshot {
  readonly revision: number;
  readonly users: Map<string, PresentUser>;
  readonly missing: Set<number>;
}

/** What {@linkcode RoomPresence} calls. */
export interface RoomPresenceEvents {
  /** Called when the first connection of a user came, anywhere, and when the last one went. */
  readonly onChange: (user: string, status: boolean) => void;
  /** Called when another display name is shown for a user who stays. */
  readonly onRename: (user: string) => void;
  /** Called when the last connection of a user to another isolate went. */
  readonly onRemoteLeave: (isolate: string, user: string) => void;
}

/** Who is in a room, and what is known of each isolate's users there. */
export class RoomPresence {
  /** The revision of the users that are connected to this isolate. */
  revision: number;
  /** When the other isolates are to be asked next, in milliseconds of a monotonic clock. */
  nextAskAt = Infinity;
  /** The answers of those that were asked at the opening; undefined where nobody was. */
  answers: OpeningAnswers | undefined;
  readonly #events: RoomPresenceEvents;
  readonly #users = new UserSet<Holder>();
  readonly #names = new DisplayNames<Holder>();
  readonly #moderators = new UserSet<Holder>();
  /** By isolate, the revision of its users that is known. */
  readonly #known = new Map<string, number>();
  readonly #partial = new Map<string, PartialSnapshot>();
  readonly #askedAt = new Map<string, number>();
  /** By isolate, when it last said anything about the room. */
  readonly #heardAt = new Map<string, number>();

  /**
   * Starts with nobody there.
   *
   * @param revision A revision that this isolate has not used before.
   * @param events What is called on a change.
   */
  constructor(revision: number, events: RoomPresenceEvents) {
    this.revision = revision;
    this.#events = events;
  }

  /** Whether nobody is here. */
  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  /** By isolate, the revision that is known. */
  get known(): ReadonlyMap<string, number> {
    return this.#known;
  }

  /** The users, sorted by code unit. */
  users(): string[] {
    return this.#users.users();
  }

  /** Whether a user is here. */
  has(user: string): boolean {
    return this.#users.has(user);
  }

  /** The display name of a user, if there is one. */
  nameOf(user: string): string | undefined {
    return this.#names.of(user);
  }

  /** Whether a user is here as a moderator. */
  isModerator(user: string): boolean {
    return this.#moderators.has(user);
  }

  /** What connections to this isolate say of a user. */
  local(user: string): PresentUser {
    const name = this.#names.of(user, isConnection);
    const isModerator = [...this.#moderators.holders(user)].some(isConnection);
    return { ...(name !== undefined && { name }), ...(isModerator && { isModerator }) };
  }

  /** The users that are connected to this isolate, sorted. */
  localUsers(): string[] {
    return this.#users.users().filter((user) => this.isLocal(user));
  }

  /**
   * Adds a connection to this isolate.
   *
   * @returns Whether the other isolates are to be told, for it is the first one of the user to this
   * isolate, or says something else of the user.
   */
  add(user: string, connection: object, said: PresentUser = {}): boolean {
    const isFirst = !this.isLocal(user);
    const before = this.local(user);
    this.#add(user, connection, said);
    return isFirst || !isSame(this.local(user), before);
  }

  /**
   * Removes a connection to this isolate.
   *
   * @returns Whether the other isolates are to be told, for it was the last one of the user to this
   * isolate, or said something else of the user than those that stay; undefined where there was no
   * such connection.
   */
  remove(user: string, connection: object): boolean | undefined {
    if (!this.#users.holders(user).has(connection)) return undefined;
    const before = this.local(user);
    this.#remove(user, connection);
    return !this.isLocal(user) || !isSame(this.local(user), before);
  }

  /**
   * Takes an isolate for one that has said something about the room.
   *
   * @param isolate The isolate.
   */
  heard(isolate: string): void {
    this.#heardAt.set(isolate, performance.now());
  }

  /**
   * The isolates of which something is known, and that have said nothing for a while: they may have
   * closed the room, and what they said last may have got lost.
   *
   * @param silenceMs Milliseconds.
   * @returns Their ids.
   */
  silent(silenceMs: number): string[] {
    const oldest = performance.now() - silenceMs;
    return [...this.#known.keys()].filter((isolate) => {
      return (this.#heardAt.get(isolate) ?? -Infinity) < oldest;
    });
  }

  /** Notes that an isolate has just opened the room: nobody is connected to it here. */
  opened(isolate: string, revision: number): void {
    if (revision <= (this.#known.get(isolate) ?? -1)) return;
    this.#known.set(isolate, revision);
    this.#keepOnly(isolate, new Set());
  }

  /**
   * Whether an isolate has used a greater revision than what is known of it here.
   *
   * @param isolate The isolate.
   * @param revision Its revision.
   * @returns True where it has to be asked.
   */
  isBehind(isolate: string, revision: number): boolean {
    return (this.#known.get(isolate) ?? -1) < revision;
  }

  /**
   * Whether an isolate may be asked now: it was not a moment ago.
   *
   * @param isolate The isolate.
   * @returns True once in a while.
   */
  mayAsk(isolate: string): boolean {
    const now = performance.now();
    if (now - (this.#askedAt.get(isolate) ?? -Infinity) < ASK_AGAIN_MS) return false;
    this.#askedAt.set(isolate, now);
    return true;
  }

  /**
   * Applies a change, where it is the next one.
   *
   * @param change The change.
   * @returns False where something before it is missing: the isolate has to be asked.
   */
  change({ from, prev, revision, user, status, name, isModerator }: PresenceChange): boolean {
    const known = this.#known.get(from);
    if (known !== undefined && revision <= known) return true;
    if (known !== prev) return false;
    this.#known.set(from, revision);
    if (status) this.#add(user, from, { name, isModerator });
    else this.#removeRemote(from, user);
    return true;
  }

  /**
   * Applies a snapshot, once all its pieces have come.
   *
   * @param snapshot A piece of it.
   * @returns Whether it is whole.
   */
  snapshot(message: PresenceSnapshot): boolean {
    const { from, revision, users, names, moderators, part, parts } = message;
    if (revision < (this.#known.get(from) ?? -1)) return true;
    let all = new Map(users.map((user, index): [string, PresentUser] => {
      return [user, { name: names?.[index] ?? undefined, isModerator: moderators?.[index] }];
    }));
    if (parts > 1) {
      let partial = this.#partial.get(from);
      if (!partial || partial.revision < revision) {
        const missing = new Set(Array.from({ length: parts }, (_, index) => index));
        this.#partial.set(from, partial = { revision, users: new Map(), missing });
      }
      if (partial.revision > revision || !partial.missing.delete(part)) return false;
      for (const [user, said] of all) partial.users.set(user, said);
      if (partial.missing.size > 0) return false;
      all = partial.users;
    }
    this.#partial.delete(from);
    this.#known.set(from, revision);
    for (const [user, said] of all) this.#add(user, from, said);
    this.#keepOnly(from, all);
    return true;
  }

  /** Removes the users of an isolate that is gone, and what is known of it. */
  forget(isolate: string): void {
    this.#known.delete(isolate);
    this.#partial.delete(isolate);
    this.#askedAt.delete(isolate);
    this.#heardAt.delete(isolate);
    this.answers?.got(isolate);
    this.#keepOnly(isolate, new Set());
  }

  #add(user: string, holder: Holder, { name, isModerator = false }: PresentUser): void {
    const isNew = this.#users.add(user, holder);
    if (isModerator) this.#moderators.add(user, holder);
    else this.#moderators.remove(user, holder);
    const isRenamed = this.#names.set(user, holder, name);
    if (isNew) this.#events.onChange(user, true);
    else if (isRenamed) this.#events.onRename(user);
  }

  #remove(user: string, holder: Holder): void {
    const isGone = this.#users.remove(user, holder);
    this.#moderators.remove(user, holder);
    if (typeof holder === "string") this.#events.onRemoteLeave(holder, user);
    // The listener may ask for the name of who has gone.
    if (isGone) this.#events.onChange(user, false);
    const isRenamed = this.#names.delete(user, holder);
    if (isRenamed && !isGone) this.#events.onRename(user);
  }

  #removeRemote(isolate: string, user: string): void {
    if (this.#users.holders(user).has(isolate)) this.#remove(user, isolate);
  }

  #keepOnly(isolate: string, there: { has(user: string): boolean }): void {
    for (const user of this.#users.users()) if (!there.has(user)) this.#removeRemote(isolate, user);
  }

  /** Whether a user is connected to this isolate. */
  isLocal(user: string): boolean {
    for (const holder of this.#users.holders(user)) if (isConnection(holder)) return true;
    return false;
  }
}

function isConnection(holder: Holder): boolean {
  return typeof holder === "object";
}

function isSame(one: PresentUser, other: PresentUser): boolean {
  return one.name === other.name && one.isModerator === other.isModerator;
}
