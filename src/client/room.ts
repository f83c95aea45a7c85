/**
 * A room, of which a connection may have many.
 *
 * @module
 */

import { type JsonObject, PAGE_DEFAULT, PAGE_MAX } from "../protocol/mod.ts";
import { checkInteger } from "../protocol/checks.ts";
import type { RoomModel } from "./room_model.ts";
import type { RoomObserver } from "./room_observer.ts";
import type { RoomSanctions } from "./room_sanctions.ts";
import type { RoomMessage, RoomSnapshot, StoredMessage } from "./room_state.ts";

/** A message by its name, as any message of a snapshot is. */
export type MessageName = Pick<RoomMessage, "cursor">;

/** An edit: the new text, the new data, or both. */
export interface MessageEdit<Data extends JsonObject = JsonObject> {
  /** The new text; left out, it stays. */
  readonly text?: string;
  /** The new data; null takes data away, left out it stays. */
  readonly data?: Data | null;
  /** Name of the edit, unique among its sender's. @default {128 random bits} */
  readonly ref?: string;
}

/** A place in a room's log, for {@linkcode Room.read}. */
export interface PagePlace {
  /** Just before this cursor. */
  readonly before?: string;
  /** Just after this cursor. */
  readonly after?: string;
  /** How many messages at most, up to 100. @default {50} */
  readonly limit?: number;
}

/** A message that is to be sent. */
export interface RoomDraft<Data extends JsonObject = JsonObject> {
  /** Text. */
  readonly text: string;
  /** What a program adds to it: at most 4 KiB of JSON and 32 levels. */
  readonly data?: Data;
  /** The message that it answers, or its cursor. */
  readonly replyTo?: string | MessageName;
  /** Name of the message, unique among its sender's. @default {128 random bits} */
  readonly ref?: string;
}

/**
 * A room of a {@linkcode ChatClient}. It is joined while somebody subscribes to it, and while a
 * message waits to be sent; however many subscribe, it is joined once. Made by `client.room()`.
 *
 * @example
 * ```ts
 * import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
 * import { createClient } from "@hubbub/hub/client";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using server = createServer(new Hub(new KvRoomLog(kv)));
 * await using http = Deno.serve({ hostname: "127.0.0.1", port: 0 }, server.fetch);
 *
 * await using client = createClient(`http://127.0.0.1:${http.addr.port}`, { user: "ann" });
 * const lobby = client.room("lobby");
 * const unsubscribe = lobby.subscribe(() => console.log(lobby.snapshot.status)); // joining, live
 * await lobby.send({ text: "hello" });
 * console.log(lobby.snapshot.messages.map(({ text, status }) => [text, status])); // [["hello", "sent"]]
 * unsubscribe();
 * ```
 */
export class Room<Data extends JsonObject = JsonObject> {
  /** The room's name. */
  readonly name: string;
  /**
   * Subscribes to the snapshots, and so joins the room; bound, so that it can be handed on as it is.
   * The room is left when the last one unsubscribes and nothing waits to be sent.
   *
   * @param listener Called after each change, at most once a turn.
   * @returns Ends the subscription.
   */
  readonly subscribe: (listener: () => void) => () => void;
  /** Mutes, bans and kicks, for moderators. */
  readonly sanctions: RoomSanctions;
  readonly #model: RoomModel;

  /**
   * Made by `client.room()`.
   *
   * @param model What is behind it.
   * @ignore
   */
  constructor(model: RoomModel) {
    this.#model = model;
    this.name = model.name;
    this.sanctions = model.sanctions;
    this.subscribe = (listener) => model.subscribe(listener);
  }

  /** The state of now; the same object until something of it changes. */
  get snapshot(): RoomSnapshot<Data> {
    return this.#model.snapshot as RoomSnapshot<Data>;
  }

  /**
   * Calls an observer with what happens in the room, in its order: for what a snapshot does not show,
   * such as a notice of each new message. It does not join the room.
   *
   * @param observer What to call.
   * @returns Ends that.
   */
  observe(observer: RoomObserver): () => void {
    return this.#model.observers.add(observer);
  }

  /**
   * Sets whether the user is shown as here and sees who else is, as the option `presence` does at
   * first. The room is joined anew for that, and what is missed meanwhile comes with it.
   *
   * @param isPresent Whether.
   */
  present(isPresent: boolean): void {
    this.#model.isPresent = isPresent;
  }

  /**
   * Sends a message. It is in the snapshot at once, and waits while there is no connection. One that
   * is refused stays there as `failed`: its promise need not be watched for that.
   *
   * @param draft The text; what a program adds to it; the message that it answers; a `ref`, which
   * should be random, if it has to be one's own.
   * @returns The message as it is stored. Rejects with a {@linkcode ChatError} where it is refused,
   * and with an `AbortError` once it is discarded.
   */
  send(draft: RoomDraft<Data>): Promise<StoredMessage<Data>> {
    const { text, data, replyTo, ref } = draft;
    const answered = typeof replyTo === "object" ? replyTo.cursor : replyTo;
    if (replyTo !== undefined && answered === undefined) {
      return Promise.reject(new RangeError("Cannot answer a message that is not stored"));
    }
    return this.#model.send({
      text,
      ref,
      ...(data !== undefined && { data }),
      ...(answered !== undefined && { reply_to: answered }),
    }) as Promise<StoredMessage<Data>>;
  }

  /**
   * Edits a message: one's own, or any as a moderator. It is shown so at once; a refusal is shown in
   * its `changes`, and leaves it as it was.
   *
   * @param message The message; only its `cursor` counts.
   * @param edit What to change.
   * @returns The message as it is then; undefined where it is not kept. Rejects with a
   * {@linkcode ChatError} where it is refused.
   */
  edit(
    message: MessageName,
    edit: MessageEdit<Data>,
  ): Promise<StoredMessage<Data> | undefined> {
    return this.#change(message, { ...edit, kind: "edit" });
  }

  /**
   * Deletes a message: one's own, or any as a moderator. What it said is gone for everybody.
   *
   * @param message The message; only its `cursor` counts.
   * @returns As for {@linkcode Room.edit}.
   */
  delete(message: MessageName): Promise<StoredMessage<Data> | undefined> {
    return this.#change(message, { kind: "delete" });
  }

  /**
   * Reacts to a message, or takes a reaction back.
   *
   * @param message The message; only its `cursor` counts.
   * @param emoji What the reaction shows: 1 to 32 bytes of UTF-8 without white space.
   * @param status Whether the user reacts so from now on.
   * @returns As for {@linkcode Room.edit}.
   */
  react(
    message: MessageName,
    emoji: string,
    status = true,
  ): Promise<StoredMessage<Data> | undefined> {
    return this.#change(message, { kind: "reaction", emoji, status });
  }

  /**
   * Finds a message, such as one that is answered: among those that are kept, or at the server.
   *
   * @param cursor Its cursor.
   * @returns The message as it is now; undefined where there is none. Rejects with a
   * {@linkcode ChatError} where the server refuses or cannot be reached.
   */
  find(cursor: string): Promise<StoredMessage<Data> | undefined> {
    return this.#model.find(cursor) as Promise<StoredMessage<Data> | undefined>;
  }

  /**
   * Sends a message again that has failed, or those changes of it that have.
   *
   * @param message The message, of a snapshot.
   * @returns As for {@linkcode Room.send} and {@linkcode Room.edit}. Rejects with a `RangeError` where
   * nothing has failed.
   */
  retry(message: RoomMessage): Promise<StoredMessage<Data> | undefined> {
    return this.#model.retry(message) as Promise<StoredMessage<Data> | undefined>;
  }

  /**
   * Removes a message that is not stored, or gives changes of one up that are not. What is on its way
   * may be stored all the same.
   *
   * @param message The message, of a snapshot.
   */
  discard(message: RoomMessage): void {
    this.#model.discard(message);
  }

  /**
   * Shows the others that the user is typing. May be called for every keystroke: they are told at
   * once and then at most every 1.5 s, and of the end at once. Sending a message ends typing.
   *
   * @param isTyping Whether the user is; false when the text was cleared or left.
   */
  typing(isTyping = true): void {
    this.#model.typing(isTyping);
  }

  /**
   * Marks messages as read: `unread` and `firstUnread` count from there, in every window of the user
   * and on every device. A mark never goes back. Where the hub does not know its users (without
   * tokens or sessions) it lasts as long as the client, or its `storage`.
   *
   * @param message The newest message that was read; only its `cursor` counts.
   * @default {the newest of the room}
   */
  markRead(message?: MessageName): void {
    this.#model.reading.mark(message?.cursor);
  }

  /**
   * Reads the messages before the oldest one of the snapshot, and adds them to it.
   *
   * @param limit How many at most; the server gives no more than 100.
   * @returns Those, oldest first; none at the beginning of the room. Rejects with a
   * {@linkcode ChatError} where the server refuses or cannot be reached, or with a `RangeError`.
   */
  loadOlder(limit: number = PAGE_DEFAULT): Promise<StoredMessage<Data>[]> {
    return this.#model.loadOlder(limit) as Promise<StoredMessage<Data>[]>;
  }

  /**
   * Reads messages anywhere in the room, which the snapshot does not keep: as they are now, and not
   * changed afterwards.
   *
   * @param place Just before which cursor, or just after which; the newest without either.
   * @returns Those, oldest first; none at the ends of the room, and fewer than the limit where they
   * are long. Rejects with a {@linkcode ChatError} where the server refuses or cannot be reached, or
   * with a `RangeError`.
   */
  async read(place: PagePlace = {}): Promise<readonly StoredMessage<Data>[]> {
    const { limit = PAGE_DEFAULT, before, after } = place;
    checkInteger("limit", limit, { min: 1, max: PAGE_MAX });
    const { messages } = await this.#model.read({ before, after, limit });
    return messages as readonly StoredMessage<Data>[];
  }

  /**
   * Leaves the room now, subscribed to or not: what waits to be sent fails. It is joined again
   * with the next subscription, message or page.
   */
  leave(): void {
    this.#model.leave();
  }

  #change(...args: Parameters<RoomModel["change"]>): Promise<StoredMessage<Data> | undefined> {
    return this.#model.change(...args) as Promise<StoredMessage<Data> | undefined>;
  }
}
