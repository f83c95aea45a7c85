/**
 * What the browser remembers.
 *
 * @module
 */

/** A message that waits for the server, or that it refused. */
export interface Unsent {
  /** The name under which it is sent, and sent again. */
  readonly ref: string;
  /** What it says. */
  readonly text: string;
}

/** Where somebody was reading. */
export interface Place {
  /** The cursor of the first message in view. */
  readonly cursor: string;
  /** CSS pixels from the top of the view to the top of that message. */
  readonly offset: number;
}

/**
 * What outlasts a reload. The name and the room outlast the tab too, but a tab's own name goes
 * first: two tabs may be two people. Where storage is forbidden, nothing is remembered.
 */
export class Memory {
  readonly #tab = storageOf(() => sessionStorage);
  readonly #browser = storageOf(() => localStorage);

  /** The reader's name. */
  get user(): string {
    return this.#read(this.#tab, "user") ?? this.#read(this.#browser, "user") ?? "";
  }
  set user(user: string) {
    this.#write(this.#tab, "user", user);
    this.#write(this.#browser, "user", user);
  }

  /** The room where the reader was last. */
  get room(): string {
    return this.#read(this.#browser, "room") ?? "";
  }
  set room(room: string) {
    this.#write(this.#browser, "room", room);
  }

  /** The token that the reader was invited with, in this tab. */
  get token(): string | undefined {
    return this.#read(this.#tab, "token");
  }
  set token(token: string | undefined) {
    this.#write(this.#tab, "token", token);
  }

  /** What was being written in a room. */
  draft(room: string): string {
    return this.#read(this.#tab, `draft:${room}`) ?? "";
  }

  /** Remembers what is being written in a room. */
  setDraft(room: string, text: string): void {
    this.#write(this.#tab, `draft:${room}`, text === "" ? undefined : text);
  }

  /** Where the reader was in a room, unless at its end. */
  place(room: string): Place | undefined {
    return this.#readJson<Place>(`place:${room}`);
  }

  /** Remembers where the reader is in a room; undefined is at its end. */
  setPlace(room: string, place: Place | undefined): void {
    this.#write(this.#tab, `place:${room}`, place && JSON.stringify(place));
  }

  /** What a user has said in a room that the server has not stored yet. */
  unsent(room: string, user: string): Unsent[] {
    return this.#readJson<Unsent[]>(`unsent:${room}:${user}`) ?? [];
  }

  /** Remembers what a user has said that the server has not stored yet. */
  setUnsent(room: string, user: string, unsent: readonly Unsent[]): void {
    const text = unsent.length === 0 ? undefined : JSON.stringify(unsent);
    this.#write(this.#tab, `unsent:${room}:${user}`, text);
  }

  #readJson<T>(key: string): T | undefined {
    const text = this.#read(this.#tab, key);
    try {
      return text === undefined ? undefined : JSON.parse(text) as T;
    } catch {
      return undefined; // Written by another version of the page.
    }
  }

  #read(storage: Storage | undefined, key: string): string | undefined {
    return storage?.getItem(`hubbub:${key}`) ?? undefined;
  }

  #write(storage: Storage | undefined, key: string, value: string | undefined): void {
    try {
      if (value === undefined) storage?.removeItem(`hubbub:${key}`);
      else storage?.setItem(`hubbub:${key}`, value);
    } catch {
      // Full: the page works without.
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
