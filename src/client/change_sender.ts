/**
 * The way of a change from the application into the log.
 *
 * @module
 */

import type { ChangeDraft, MessageChange } from "../protocol/mod.ts";
import { createRef } from "./message_ref.ts";
import { foldChange } from "./message_fold.ts";
import type { RoomMessages } from "./room_messages.ts";
import type { RoomSession } from "./room_session.ts";
import type { LogRecord, RoomMessage, StoredMessage } from "./room_state.ts";
import type { SendQueue } from "./send_queue.ts";

/** How {@linkcode ChangeSender} behaves. */
export interface ChangeSenderOptions {
  /** Where messages are shown as they will be. */
  readonly messages: RoomMessages;
  /** Where changes wait. */
  readonly queue: SendQueue<LogRecord>;
  /** What sends them. */
  readonly session: RoomSession;
  /** Gives the user's name, as far as it is known. */
  readonly user: () => string;
  /** Called when something that is shown may have changed. */
  readonly onChange: () => void;
}

/** Sends changes of messages, and shows what becomes of them. */
export class ChangeSender {
  readonly #options: ChangeSenderOptions;

  /** @param options Where changes wait, and where messages are shown. */
  constructor(options: ChangeSenderOptions) {
    this.#options = options;
  }

  /**
   * Sends a change. Its message is shown as it will be from now on, unless it is refused at once.
   *
   * @param message The message.
   * @param draft What to do with it.
   * @returns The message as it is then; that it failed is shown, so the promise need not be watched.
   */
  send(
    message: Pick<RoomMessage, "cursor">,
    draft: DistributiveOmit<ChangeDraft, "cursor">,
  ): Promise<StoredMessage | undefined> {
    const { cursor } = message;
    if (cursor === undefined) {
      const error = new RangeError("Cannot change a message that is not stored");
      return Promise.reject(error);
    }
    const { messages, user } = this.#options;
    const sent = this.#send({ ...draft, cursor } as ChangeDraft);
    return shownByItself(sent.then((change) => {
      const kept = messages.find(cursor);
      if (kept) return kept;
      return isStored(message) ? foldChange(message, change, user()) : undefined;
    }));
  }

  /**
   * Sends the changes of a message again that have failed.
   *
   * @param message The message.
   * @returns The message as it is then; undefined where none has failed.
   */
  retry({ cursor = "" }: RoomMessage): Promise<StoredMessage | undefined> | undefined {
    const { messages } = this.#options;
    const failed = messages.pending.takeFailed(cursor);
    if (failed.length === 0) return undefined;
    const sent = Promise.all(failed.map((draft) => this.#send(draft)));
    return shownByItself(sent.then(() => messages.find(cursor)));
  }

  #send({ ref = createRef(), ...rest }: ChangeDraft): Promise<MessageChange> {
    const { messages, queue, session, onChange } = this.#options;
    const draft = { ...rest, ref };
    const controller = new AbortController();
    const sent = session.change(draft, controller.signal);
    if (queue.isInFlight(ref) === undefined) return sent;
    messages.pending.add(draft, controller);
    messages.changed();
    onChange();
    sent.then(
      ({ cursor }) => {
        messages.pending.settle(ref, cursor);
        messages.passed(session.cursor);
        onChange();
      },
      (error) => {
        messages.pending.fail(ref, error);
        messages.changed();
        onChange();
      },
    );
    return sent;
  }
}

/** A promise that need not be watched: where it rejects, that is shown. */
function shownByItself<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** `Omit` of each member of a union. */
type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;

function isStored(message: Pick<RoomMessage, "cursor">): message is StoredMessage {
  return "status" in message && message.status === "sent";
}
