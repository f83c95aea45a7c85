/**
 * How far the user has read a room.
 *
 * @module
 */

import type { ProblemV2, ReadEnvelopeV2 } from "../protocol/mod.ts";
import type { HistoryClient } from "./history_client.ts";
import { MarkSender } from "./mark_sender.ts";
import type { RoomContext } from "./room_context.ts";
import { RoomUnread } from "./room_unread.ts";
import type { UnreadView } from "./unread_total.ts";

/** How {@linkcode RoomReading} behaves. */
export interface RoomReadingOptions {
  /** The room's name. */
  readonly room: string;
  /** The client that it belongs to. */
  readonly context: RoomContext;
  /** Reads messages that the connection does not bring. */
  readonly history: HistoryClient;
  /** Tells whether nobody wants the room joined. */
  readonly isIdle: () => boolean;
  /** Called after each change. */
  readonly onChange: () => void;
}

/** The user's read mark of a room, here and at the hub. */
export class RoomReading {
  /** What is behind it. */
  readonly unread: RoomUnread;
  readonly #options: RoomReadingOptions;
  readonly #marks: MarkSender;
  #isIn = false;
  #isKept: boolean | undefined;

  /** @param options The room, and who reads. */
  constructor(options: RoomReadingOptions) {
    this.#options = options;
    const { room, history, onChange } = options;
    const { connection, settings, closing, member } = options.context;
    const retryMs = settings.maxDelayMs;
    this.unread = new RoomUnread({ history, reader: member, closing, retryMs, onChange });
    this.#marks = new MarkSender((cursor) => {
      connection.send({ type: "read", room, payload: { cursor } });
    });
  }

  /** What is unread. */
  get view(): UnreadView {
    return this.unread.view;
  }

  /** Whether the hub keeps marks, once it has let the user in. */
  get isKept(): boolean | undefined {
    return this.#isKept;
  }

  /** Whether what is new of the room comes by itself. */
  get isLive(): boolean {
    return this.#isIn;
  }

  /**
   * The hub has let the user in, and everything that was missed was taken.
   *
   * @param joined Where the hub stands, and how far it says that the user has read.
   * @param hasOlder Whether there may be messages that were not taken before those that were.
   */
  arrive(
    joined: { readonly cursor: string; readonly read?: string },
    hasOlder: boolean,
  ): void {
    const { cursor, read } = joined;
    this.#isIn = true;
    this.#isKept = read !== undefined;
    // Who is in one room alone has no list of rooms.
    const isCounted = this.#options.context.connection.lose === undefined;
    this.unread.arrive({ cursor, read, hasOlder: hasOlder && isCounted });
    this.#marks.attach(read, this.unread.read);
  }

  /** The stay has ended. */
  lost(): void {
    this.#isIn = false;
    this.#marks.detach();
  }

  /**
   * Marks as read what came before a place.
   *
   * @param cursor The newest message that was read. @default {the newest that is known}
   */
  mark(cursor: string = this.unread.head): void {
    if (cursor === "" || !this.unread.move(cursor)) return;
    const { room, context, isIdle } = this.#options;
    if (this.#isIn) this.#marks.send(cursor);
    else if (isIdle()) context.userRooms.mark(room, cursor);
  }

  /**
   * Another connection of the user has moved the mark.
   *
   * @param told What the hub says.
   */
  moved({ cursor, unread, mentions }: ReadEnvelopeV2["payload"]): void {
    this.unread.move(cursor, { unread, mentions });
  }

  /**
   * The hub has refused a mark.
   *
   * @param problem Why.
   */
  refused(problem: ProblemV2): void {
    this.#marks.refused(problem, this.unread.read);
  }

  /** Sends what waits, before the room is left. */
  flush(): void {
    this.#marks.flush();
  }
}
