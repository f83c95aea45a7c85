/**
 * Messages that outlast the program before they are stored.
 *
 * @module
 */

import type { JsonObject } from "../protocol/mod.ts";

/** The part of a `Storage`, such as `localStorage`, in which messages are kept. */
export interface UnsentStorage {
  /** How many keys there are. */
  readonly length: number;
  /** Gives the name of a key by its index. */
  key(index: number): string | null;
  /** Gives the value of a key. */
  getItem(key: string): string | null;
  /** Sets the value of a key. */
  setItem(key: string, value: string): void;
  /** Removes a key. */
  removeItem(key: string): void;
}

/** A message that is not stored by the server yet. */
export interface KeptMessage {
  /** Its name. */
  readonly ref: string;
  /** Text. */
  readonly text: string;
  /** What a program added to it. */
  readonly data?: JsonObject;
  /** Cursor of the message that it answers. */
  readonly replyTo?: string;
  /** When it was written, in milliseconds since the epoch. */
  readonly at: number;
  /** When it may last have reached the server, in milliseconds since the epoch. */
  readonly triedAt?: number;
}

/** The start of all keys. */
const PREFIX = "hubbub-client:";

/** Keeps messages of one server by room and user. A storage that is full or forbidden keeps none. */
export class UnsentStore {
  readonly #storage: UnsentStorage;
  readonly #server: string;

  /**
   * @param storage Where to keep them.
   * @param server The server's base: another one has other rooms and users.
   */
  constructor(storage: UnsentStorage, server: string) {
    this.#storage = storage;
    this.#server = server;
  }

  /** Keeps a message, or what has changed about it. */
  keep(room: string, user: string, message: KeptMessage): void {
    try {
      this.#storage.setItem(this.#prefix(room, user) + message.ref, JSON.stringify(message));
    } catch {
      // Full, or forbidden: it is sent all the same.
    }
  }

  /** Removes a message that was stored by the server, or discarded. */
  drop(room: string, user: string, ref: string): void {
    try {
      this.#storage.removeItem(this.#prefix(room, user) + ref);
    } catch {
      // As above.
    }
  }

  /** The messages of a user in a room, in the order in which they were written. */
  list(room: string, user: string): KeptMessage[] {
    const prefix = this.#prefix(room, user);
    const found: KeptMessage[] = [];
    try {
      for (let index = 0; index < this.#storage.length; index++) {
        const key = this.#storage.key(index);
        if (!key?.startsWith(prefix)) continue;
        const message = parse(this.#storage.getItem(key));
        if (message?.ref === key.slice(prefix.length)) found.push(message);
      }
    } catch {
      // As above.
    }
    return found.sort((one, other) => one.at - other.at);
  }

  #prefix(room: string, user: string): string {
    return `${PREFIX}${JSON.stringify([this.#server, room, user])}`;
  }
}

function parse(text: string | null): KeptMessage | undefined {
  try {
    const value = JSON.parse(text ?? "");
    return typeof value?.text === "string" && typeof value.at === "number" ? value : undefined;
  } catch {
    return undefined; // Written by somebody else.
  }
}
