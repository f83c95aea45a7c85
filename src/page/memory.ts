/**
 * The storage of the page in the browser.
 *
 * @module
 */

/** A message that waits for the server, or that it refused. */
export interface Unsent {
  /** The name under which it is sent, and sent again. */
  readonly ref: string;
  /** The text. */
  readonly text: string;
  /** The cursor of the message that it answers. */
  readonly replyTo?: string;
  /** When it was written, in milliseconds since the epoch; messages are sent in this order. */
  readonly writtenAt: number;
  /** When it may last have reached the server, in milliseconds since the epoch. */
  readonly triedAt?: number;
}

/** A room that a reader has been in. */
export interface KnownRoom {
  /** The room's name. */
  readonly room: string;
  /** Cursor of the last message that was read; undefined before the first visit has ended in one. */
  readonly read?: string;
  /** Whether the reader wants no notice of it. */
  readonly isMuted?: boolean;
}

/** A reading position. */
export interface Place {
  /** The cursor of the first message in view. */
  readonly cursor: string;
  /** CSS pixels from the top of the view to the top of that message. */
  readonly offset: number;
}

/** A room and a user: the owner of a draft and of unsent messages. */
export interface Identity {
  /** The room's name. */
  readonly room: string;
  /** The user's name. */
  readonly user: string;
}

/**
 * The values that outlast the page, in `localStorage` and, where two tabs may differ, in
 * `sessionStorage`. Where storage is forbidden or full, they are lost with the page:
 * {@linkcode Memory.isLasting} says so.
 */
export class Memory {
  readonly #scope: string;
  readonly #tab = storageOf(() => sessionStorage);
  readonly #browser = storageOf(() => localStorage);
  #isLasting: boolean;
  /** The token, also where it cannot be kept. */
  #token: string | undefined;

  /** @param scope The path of the server's base: several servers may share an origin. */
  constructor(scope: string) {
    this.#scope = `hubbub:${scope}:`;
    this.#isLasting = this.#browser !== undefined;
  }

  /** Whether all that was written so far outlasts the page. */
  get isLasting(): boolean {
    return this.#isLasting;
  }

  /** The reader's name; a tab's own goes first, since two tabs may be two people. */
  get user(): string {
    return this.#read(this.#tab, ["user"]) ?? this.#read(this.#browser, ["user"]) ?? "";
  }
  set user(user: string) {
    this.#write(this.#tab, ["user"], user);
    this.#write(this.#browser, ["user"], user);
  }

  /** The room where the reader was last. */
  get room(): string {
    return this.#read(this.#browser, ["room"]) ?? "";
  }
  set room(room: string) {
    this.#write(this.#browser, ["room"], room);
  }

  /** The token that the reader was invited with, in this tab. */
  get token(): string | undefined {
    return this.#token ?? this.#read(this.#tab, ["token"]);
  }
  set token(token: string | undefined) {
    if (token !== this.token) this.tokenUser = undefined;
    this.#token = token;
    this.#write(this.#tab, ["token"], token);
  }

  /** The user that the token belongs to, once the server has said so. */
  get tokenUser(): string | undefined {
    return this.#read(this.#tab, ["tokenUser"]);
  }
  set tokenUser(user: string | undefined) {
    this.#write(this.#tab, ["tokenUser"], user);
  }

  /** Whether the reader has said whether to show notices. */
  get isAskedForNotices(): boolean {
    return this.#read(this.#browser, ["notices"]) !== undefined;
  }
  set isAskedForNotices(isAsked: boolean) {
    this.#write(this.#browser, ["notices"], isAsked ? "asked" : undefined);
  }

  /** The rooms that a user has been in; undefined where nothing is kept. */
  rooms(user: string): KnownRoom[] | undefined {
    const rooms = parse<KnownRoom[]>(this.#read(this.#browser, ["rooms", user]));
    return Array.isArray(rooms)
      ? rooms.filter((known) => typeof known?.room === "string")
      : undefined;
  }

  /** Keeps the rooms that a user has been in. */
  setRooms(user: string, rooms: readonly KnownRoom[]): void {
    this.#write(this.#browser, ["rooms", user], JSON.stringify(rooms));
  }

  /** Calls back when another tab has changed the rooms of a user. */
  watchRooms(user: string, onChange: () => void): void {
    const name = this.#scope + JSON.stringify(["rooms", user]);
    addEventListener("storage", ({ key, storageArea }) => {
      if (storageArea === this.#browser && key === name) onChange();
    });
  }

  /** The text that a user was writing in a room: in this tab, or else in another one before. */
  draft({ room, user }: Identity): string {
    const key = ["draft", room, user];
    return this.#read(this.#tab, key) ?? this.#read(this.#browser, key) ?? "";
  }

  /** Keeps the text that a user is writing in a room. */
  setDraft({ room, user }: Identity, text: string): void {
    const key = ["draft", room, user];
    // Empty in this tab is not the same as unknown: another tab may have a draft of its own.
    this.#write(this.#tab, key, text);
    this.#keep(key, text === "" ? undefined : text);
  }

  /** The reading position of a user in a room, unless at the end. */
  place({ room, user }: Identity): Place | undefined {
    return parse<Place>(this.#read(this.#tab, ["place", room, user]));
  }

  /** Keeps the reading position of a user in a room; undefined is at the end. */
  setPlace({ room, user }: Identity, place: Place | undefined): void {
    this.#write(this.#tab, ["place", room, user], place && JSON.stringify(place));
  }

  /** The messages of a user in a room that are not stored by the server yet, oldest first. */
  unsent({ room, user }: Identity): Unsent[] {
    const found: Unsent[] = [];
    for (const key of keysOf(this.#browser)) {
      const ref = this.#refIn(key, { room, user });
      const unsent = ref === undefined ? undefined : parse<Unsent>(this.#browser?.getItem(key));
      if (typeof unsent?.text === "string") found.push(unsent);
    }
    return found.sort((a, b) => a.writtenAt - b.writtenAt);
  }

  /** Keeps a message that is not stored by the server yet. */
  keepUnsent({ room, user }: Identity, unsent: Unsent): void {
    this.#keep(["unsent", room, user, unsent.ref], JSON.stringify(unsent));
  }

  /** Removes a message that was stored or discarded. */
  dropUnsent({ room, user }: Identity, ref: string): void {
    this.#write(this.#browser, ["unsent", room, user, ref], undefined);
  }

  /**
   * Watches for unsent messages that another tab has sent or discarded.
   *
   * @param identity The room and the user.
   * @param onDrop Called with the ref of each.
   * @param signal Ends it.
   */
  watchUnsent(identity: Identity, onDrop: (ref: string) => void, signal: AbortSignal): void {
    addEventListener("storage", ({ key, newValue, storageArea }) => {
      if (storageArea !== this.#browser || key === null || newValue !== null) return;
      const ref = this.#refIn(key, identity);
      if (ref !== undefined) onDrop(ref);
    }, { signal });
  }

  /** The ref in a key, where the key is that of an unsent message of this room and user. */
  #refIn(key: string, { room, user }: Identity): string | undefined {
    if (!key.startsWith(`${this.#scope}["unsent",`)) return undefined;
    const parts = parse<unknown[]>(key.slice(this.#scope.length));
    const ref = parts?.[3];
    return parts?.[1] === room && parts[2] === user && typeof ref === "string" ? ref : undefined;
  }

  #read(storage: Storage | undefined, key: readonly string[]): string | undefined {
    return storage?.getItem(this.#scope + JSON.stringify(key)) ?? undefined;
  }

  #keep(key: readonly string[], value: string | undefined): void {
    if (!this.#write(this.#browser, key, value)) this.#isLasting = false;
  }

  #write(storage: Storage | undefined, key: readonly string[], value: string | undefined): boolean {
    const name = this.#scope + JSON.stringify(key);
    try {
      if (value === undefined) storage?.removeItem(name);
      else storage?.setItem(name, value);
      return storage !== undefined;
    } catch {
      return false; // Full: the page works without.
    }
  }
}

function storageOf(get: () => Storage): Storage | undefined {
  try {
    return get();
  } catch {
    return undefined; // Forbidden by the reader: merely naming it throws.
  }
}

function keysOf(storage: Storage | undefined): string[] {
  if (storage === undefined) return [];
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index));
  return keys.filter((key) => key !== null);
}

function parse<T>(text: string | null | undefined): T | undefined {
  try {
    return text == null ? undefined : JSON.parse(text) as T;
  } catch {
    return undefined; // Written by another version of the page.
  }
}
