/**
 * Rooms and read marks that the client keeps by itself.
 *
 * @module
 */

import { pageGlobals } from "./page_globals.ts";
import type { UnsentStorage } from "./unsent_store.ts";

/** Rooms that are kept; the one that was entered first goes first. */
const ROOMS_MAX = 100;
/** The start of all keys. */
const PREFIX = "hubbub-client-rooms:";

/** How {@linkcode LocalRooms} behaves. */
export interface LocalRoomsOptions {
  /** Where they outlast the program. @default {nowhere} */
  readonly storage: UnsentStorage | undefined;
  /** The server's base: another one has other rooms and users. */
  readonly server: string;
  /** Gives the user's name. */
  readonly user: () => string;
  /** Aborted when the client has ended. */
  readonly closing: AbortSignal;
  /** Called where another window has changed them. */
  readonly onChange: () => void;
}

/**
 * The rooms that a user has been in, and how far each was read: where the hub keeps none, since
 * anybody may take any name there. A mark never goes back.
 */
export class LocalRooms {
  readonly #options: LocalRoomsOptions;
  #marks: ReadonlyMap<string, string> = new Map();

  /** @param options Where to keep them. */
  constructor(options: LocalRoomsOptions) {
    this.#options = options;
    const { storage, closing, onChange } = options;
    if (storage) pageGlobals().addEventListener?.("storage", onChange, { signal: closing });
  }

  /** By room, the place up to which it was read. */
  get marks(): ReadonlyMap<string, string> {
    this.#load();
    return this.#marks;
  }

  /**
   * Adds a room, or moves its mark on.
   *
   * @param room The room.
   * @param read The newest message that was read.
   */
  set(room: string, read: string): void {
    this.#load();
    const known = this.#marks.get(room);
    if (known !== undefined && known >= read) return;
    const entries = [...new Map([...this.#marks]).set(room, read)];
    this.#save(new Map(entries.slice(-ROOMS_MAX)));
  }

  /**
   * Forgets a room.
   *
   * @param room The room.
   */
  delete(room: string): void {
    this.#load();
    const marks = new Map(this.#marks);
    if (marks.delete(room)) this.#save(marks);
  }

  get #key(): string {
    const { server, user } = this.#options;
    return `${PREFIX}${JSON.stringify([server, user()])}`;
  }

  /** Another window may have changed them. */
  #load(): void {
    try {
      const text = this.#options.storage?.getItem(this.#key);
      if (typeof text === "string") this.#marks = parse(text);
    } catch {
      // Forbidden: they last as long as the client.
    }
  }

  #save(marks: ReadonlyMap<string, string>): void {
    this.#marks = marks;
    try {
      this.#options.storage?.setItem(this.#key, JSON.stringify([...marks]));
    } catch {
      // Full, or forbidden: as above.
    }
  }
}

function parse(text: string): ReadonlyMap<string, string> {
  try {
    const value: unknown = JSON.parse(text);
    return new Map(Array.isArray(value) ? value.filter(isMark) : []);
  } catch {
    return new Map(); // Written by somebody else.
  }
}

function isMark(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 &&
    value.every((part) => typeof part === "string");
}
