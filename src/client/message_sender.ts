/**
 * The way of a message from the application into the log.
 *
 * @module
 */

import type { Draft } from "../protocol/mod.ts";
import { createRef } from "./message_ref.ts";
import type { RoomMessages } from "./room_messages.ts";
import type { RoomSession } from "./room_session.ts";
import type { LogRecord, RoomMessage, StoredMessage } from "./room_state.ts";
import type { SendQueue } from "./send_queue.ts";

/** How {@linkcode MessageSender} behaves. */
export interface MessageSenderOptions {
  /** Where messages are shown meanwhile. */
  readonly messages: RoomMessages;
  /** Where they wait. */
  readonly queue: SendQueue<LogRecord>;
  /** What sends them. */
  readonly session: RoomSession;
  /** Gives the user's name, as far as it is known. */
  readonly user: () => string;
  /** Called when something that is shown may have changed. */
  readonly onChange: () => void;
}

/** Sends messages and shows what becomes of them. */
export class MessageSender {
  readonly #options: MessageSenderOptions;

  /** @param options Where messages wait, and where they are shown. */
  constructor(options: MessageSenderOptions) {
    this.#options = options;
  }

  /**
   * Sends a message. It is shown from now on, unless it is refused at once.
   *
   * @param draft The message.
   * @returns The message as stored; that it failed is shown, so the promise need not be watched.
   */
  send({ ref = createRef(), ...draft }: Draft): Promise<StoredMessage> {
    const { messages, queue, session, user, onChange } = this.#options;
    const controller = new AbortController();
    const isKnown = queue.isInFlight(ref) !== undefined;
    const sent = session.send({ ...draft, ref }, controller.signal);
    if (isKnown || queue.isInFlight(ref) === undefined) return sent;
    const { text, data, reply_to: replyTo } = draft;
    const extras = {
      // What the caller does with its object from now on is not sent.
      ...(data && { data: structuredClone(data) }),
      ...(replyTo !== undefined && { replyTo }),
    };
    const message = {
      ...extras,
      text,
      ref,
      user: user(),
      at: Date.now(),
      status: "waiting",
    } as const;
    messages.add(message, controller);
    sent.then(
      ({ cursor }) => {
        messages.settle(ref, cursor);
        messages.passed(session.cursor);
        onChange();
      },
      (error) => {
        messages.fail(ref, error);
        onChange();
      },
    );
    return sent;
  }

  /**
   * Sends a message again that has failed.
   *
   * @param message The message.
   * @returns As for {@linkcode MessageSender.send}. Rejects with a `RangeError` where it has not.
   */
  retry({ ref = "", status }: RoomMessage): Promise<StoredMessage> {
    const { messages } = this.#options;
    const failed = messages.unsent(ref);
    if (failed?.status !== "failed") {
      const message = `Cannot retry a message that is "${failed?.status ?? status}"`;
      return Promise.reject(new RangeError(message));
    }
    const { text, data, replyTo: reply_to } = failed;
    const draft = { text, ...(data && { data }), ...(reply_to !== undefined && { reply_to }) };
    // The ref of another message is none for this one.
    if (failed.error?.code !== "ref_reused") return this.send({ ...draft, ref });
    messages.discard(ref);
    return this.send(draft);
  }
}
