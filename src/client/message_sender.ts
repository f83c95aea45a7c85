/**
 * The way of a message from the application into the log.
 *
 * @module
 */

import { DEDUPLICATION_WINDOW, type Draft } from "../protocol/mod.ts";
import { ChatError } from "./chat_error.ts";
import { createRef } from "./message_ref.ts";
import type { RoomMessages } from "./room_messages.ts";
import type { RoomSession } from "./room_session.ts";
import type { LogRecord, RoomMessage, StoredMessage } from "./room_state.ts";
import type { SendQueue } from "./send_queue.ts";
import type { UnsentStore } from "./unsent_store.ts";

/** How {@linkcode MessageSender} behaves. */
export interface MessageSenderOptions {
  /** The room's name. */
  readonly room: string;
  /** Where messages outlast the program. */
  readonly unsent: UnsentStore | undefined;
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
  /** The user whose messages from before are here. */
  #restoredFor = "";

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
    this.#keep(ref);
    sent.then(
      ({ cursor }) => {
        this.#drop(ref);
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
    this.discard(ref);
    return this.send(draft);
  }

  /**
   * Removes a message that is not stored, and gives it up.
   *
   * @param ref Its name.
   */
  discard(ref: string): void {
    this.#drop(ref);
    this.#options.messages.discard(ref);
  }

  /** Sends what was kept of an earlier program; to be called once the user is known. */
  restore(): void {
    const { messages, onChange, room, unsent, user } = this.#options;
    const name = user();
    if (!unsent || name === "" || name === this.#restoredFor) return;
    this.#restoredFor = name;
    // What was written before the user was known.
    for (const { ref = "" } of messages.list) this.#keep(ref);
    for (const kept of unsent.list(room, name)) {
      if (messages.unsent(kept.ref)) continue;
      const { ref, text, data, replyTo, at, triedAt } = kept;
      const ageMs = triedAt === undefined ? 0 : Date.now() - triedAt;
      const extras = { ...(data && { data }), ...(replyTo !== undefined && { replyTo }) };
      if (ageMs >= 0 && ageMs <= DEDUPLICATION_WINDOW.ms) {
        void this.send({ text, ref, ...(data && { data }), ...(replyTo && { reply_to: replyTo }) });
      } else {
        const shown = { ...extras, text, ref, user: name, at, status: "failed", error: DOUBTFUL };
        messages.add(shown as RoomMessage & { readonly ref: string }, new AbortController());
      }
    }
    onChange();
  }

  /** Notes of messages that are on their way that they may arrive. */
  noteTried(): void {
    if (!this.#options.unsent) return;
    const { messages, queue } = this.#options;
    for (const { ref = "", cursor } of messages.list) {
      if (cursor === undefined && queue.isInFlight(ref)) this.#keep(ref, Date.now());
    }
  }

  /**
   * Forgets a message that the server has stored, by this sender or one before.
   *
   * @param ref Its name, where the server has told.
   */
  stored(ref: string | undefined): void {
    if (ref !== undefined) this.#drop(ref);
  }

  #keep(ref: string, triedAt?: number): void {
    const { messages, room, unsent, user } = this.#options;
    const message = messages.unsent(ref);
    if (!unsent || !message || user() === "") return;
    const { text, data, replyTo, at } = message;
    unsent.keep(room, user(), { ref, text, data, replyTo, at, triedAt });
  }

  #drop(ref: string): void {
    const { room, unsent, user } = this.#options;
    if (user() !== "") unsent?.drop(room, user(), ref);
  }
}

const DOUBTFUL = new ChatError("Kept from earlier: it may have been sent already", {
  code: "unreachable",
  temporary: true,
});
