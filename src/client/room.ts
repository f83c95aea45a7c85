/**
 * A room, of which a connection may have many.
 *
 * @module
 */

import { PAGE_DEFAULT } from "../protocol/mod.ts";
import type { RoomModel } from "./room_model.ts";
import type { RoomMessage, RoomSnapshot } from "./room_state.ts";

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
export class Room {
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
    this.subscribe = (listener) => model.subscribe(listener);
  }

  /** The state of now; the same object until something of it changes. */
  get snapshot(): RoomSnapshot {
    return this.#model.snapshot;
  }

  /**
   * Sends a message. It is in the snapshot at once, and waits while there is no connection. One that
   * is refused stays there as `failed`: its promise need not be watched for that.
   *
   * @param draft The text; a `ref`, if it has to be one's own, should be random.
   * @returns The message as it is stored. Rejects with a {@linkcode ChatError} where it is refused,
   * and with an `AbortError` once it is discarded.
   */
  send(draft: { readonly text: string; readonly ref?: string }): Promise<RoomMessage> {
    return this.#model.send(draft);
  }

  /**
   * Sends a message again that has failed.
   *
   * @param message The message, of a snapshot.
   * @returns As for {@linkcode Room.send}. Rejects with a `RangeError` where it has not failed.
   */
  retry(message: RoomMessage): Promise<RoomMessage> {
    return this.#model.retry(message);
  }

  /**
   * Removes a message that is not stored. One that is on its way may be stored all the same.
   *
   * @param message The message, of a snapshot; nothing happens where it is stored.
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
   * Reads the messages before the oldest one of the snapshot, and adds them to it.
   *
   * @param limit How many at most; the server gives no more than 100.
   * @returns Those, oldest first; none at the beginning of the room. Rejects with a
   * {@linkcode ChatError} where the server refuses or cannot be reached, or with a `RangeError`.
   */
  loadOlder(limit: number = PAGE_DEFAULT): Promise<RoomMessage[]> {
    return this.#model.loadOlder(limit);
  }

  /**
   * Leaves the room now, whoever is subscribed to it: what waits to be sent fails. It is joined again
   * with the next subscription, message or page.
   */
  leave(): void {
    this.#model.leave();
  }
}
