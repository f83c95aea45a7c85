/**
 * The rooms that the reader has been in.
 *
 * @module
 */

import type { ChatClient, Room, RoomMessage, StoredMessage } from "../client/mod.ts";
import { findMentions } from "../protocol/mod.ts";
import { FrameTask } from "./frame_task.ts";
import type { KnownRoom } from "./memory.ts";
import type { RoomMarks } from "./room_marks.ts";

/** Unread messages that are counted; more are shown as more. */
export const UNREAD_MAX = 100;
/** Messages that come with a room that is not open. */
const HISTORY = 20;

/** A room on the shelf, as it is shown. */
export interface ShelvedRoom extends KnownRoom {
  /** Messages of others after the mark, at most {@linkcode UNREAD_MAX}. */
  readonly unread: number;
  /** Those of them that mention the reader. */
  readonly mentions: number;
  /** The newest message that is not deleted. */
  readonly last: RoomMessage | undefined;
  /** Whether the hub lets the reader in no longer. */
  readonly isClosed: boolean;
}

/** The options of {@linkcode RoomShelf}. */
export interface RoomShelfOptions {
  /** The connection, which all rooms share. */
  readonly client: ChatClient;
  /** How far each room was read. */
  readonly marks: RoomMarks;
  /** Called in an animation frame after changes. */
  readonly onChange: (rooms: readonly ShelvedRoom[]) => void;
  /** Called with each message of another person that comes in a room. */
  readonly onMessage: (room: ShelvedRoom, message: StoredMessage, isMention: boolean) => void;
}

interface Shelved {
  readonly room: Room;
  readonly end: () => void;
  /** What was counted last, of which snapshot and mark. */
  counted?: {
    readonly key: unknown;
    readonly read: string | undefined;
    readonly shown: ShelvedRoom;
  };
  /** Whether the history is here: what comes then is news. */
  hasArrived: boolean;
  /** Whether older messages were asked for: the first ones were all unread. */
  isLoaded: boolean;
}

/** Keeps the rooms joined that the reader has been in, and counts what is unread in them. */
export class RoomShelf {
  readonly #options: RoomShelfOptions;
  readonly #rooms = new Map<string, Shelved>();
  readonly #repaint = new FrameTask(() => this.#options.onChange(this.rooms));

  /** @param options The connection, and how far each room was read. */
  constructor(options: RoomShelfOptions) {
    this.#options = options;
  }

  /** The rooms as they are now. */
  get rooms(): ShelvedRoom[] {
    return this.#options.marks.rooms.map((known) => this.#show(known));
  }

  /** Joins the rooms that are kept, and leaves those that are kept no longer. */
  update(): void {
    const { marks } = this.#options;
    const names = new Set(marks.rooms.map(({ room }) => room));
    for (const [name, { end }] of this.#rooms) {
      if (names.has(name)) continue;
      this.#rooms.delete(name);
      end();
    }
    for (const name of marks.isReady ? names : []) if (!this.#rooms.has(name)) this.#join(name);
    this.#repaint.request();
  }

  /** Notes how far a room was read. */
  read(room: string, cursor: string): void {
    this.#options.marks.read(room, cursor);
    this.#repaint.request();
  }

  #join(name: string): void {
    const { client } = this.#options;
    const room = client.room(name, { history: HISTORY, presence: false });
    const ends = [
      room.subscribe(() => this.#repaint.request()),
      room.observe({
        onMessage: (message) => this.#took(name, message),
        onArrive: ({ cursor }) => this.#arrived(name, cursor),
      }),
    ];
    const hasArrived = room.snapshot.status === "live";
    this.#rooms.set(name, {
      room,
      hasArrived,
      isLoaded: false,
      end: () => ends.forEach((end) => end()),
    });
  }

  #took(name: string, message: StoredMessage): void {
    const { client, marks, onMessage } = this.#options;
    const shelved = this.#rooms.get(name);
    const known = marks.rooms.find(({ room }) => room === name);
    // History is no news.
    const isNews = shelved?.hasArrived && message.user !== client.user && !message.deleted;
    if (isNews && known) onMessage(this.#show(known), message, this.#mentions(message));
  }

  #arrived(name: string, cursor: string): void {
    const { marks } = this.#options;
    const known = marks.rooms.find(({ room }) => room === name);
    const shelved = this.#rooms.get(name);
    if (shelved) shelved.hasArrived = true;
    // What was said before the first visit is not unread.
    if (known && known.read === undefined) marks.begin(name, cursor);
    this.#repaint.request();
  }

  #show(known: KnownRoom): ShelvedRoom {
    const shelved = this.#rooms.get(known.room);
    if (!shelved) return { ...known, unread: 0, mentions: 0, last: undefined, isClosed: false };
    const { messages, status, hasOlder } = shelved.room.snapshot;
    const { counted } = shelved;
    const isClosed = status === "closed";
    const isSame = counted?.key === messages && counted.read === known.read &&
      counted.shown.isClosed === isClosed && counted.shown.isMuted === known.isMuted;
    if (isSame) return counted.shown;
    const { unread, mentions, isAll } = this.#count(messages, known.read);
    if (isAll && hasOlder && status === "live" && !shelved.isLoaded) {
      shelved.isLoaded = true;
      shelved.room.loadOlder(UNREAD_MAX).catch(() => shelved.isLoaded = false);
    }
    const last = messages.findLast(({ deleted, status }) => !deleted && status === "sent");
    const shown = { ...known, unread, mentions, last, isClosed };
    shelved.counted = { key: messages, read: known.read, shown };
    return shown;
  }

  /** Counts from the end: what is unread is there. */
  #count(messages: readonly RoomMessage[], read: string | undefined) {
    let [unread, mentions] = [0, 0];
    const { user } = this.#options.client;
    for (let index = messages.length - 1; index >= 0 && read !== undefined; index--) {
      const message = messages[index];
      if (message.cursor === undefined) continue;
      if (message.cursor <= read || unread === UNREAD_MAX) {
        return { unread, mentions, isAll: false };
      }
      if (message.user === user || message.deleted) continue;
      unread++;
      if (this.#mentions(message)) mentions++;
    }
    return { unread, mentions, isAll: unread > 0 };
  }

  #mentions({ text }: RoomMessage): boolean {
    const { user, name } = this.#options.client;
    return findMentions(text, name === undefined ? [user] : [user, name]).length > 0;
  }
}
