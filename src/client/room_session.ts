/**
 * Membership of one room, over however many stays it takes.
 *
 * @module
 */

import type { ChangeDraft, Decoded, Draft, Limits, MessageChange } from "../protocol/mod.ts";
import { PAGE_MAX } from "../protocol/mod.ts";
import { ChatError, errorOf } from "./chat_error.ts";
import type { HistoryClient } from "./history_client.ts";
import { LogPosition } from "./log_position.ts";
import {
  type Outgoing,
  outgoingChange,
  outgoingMessage,
  type OutgoingOptions,
} from "./outgoing.ts";
import type { LogRecord, StoredMessage } from "./room_state.ts";
import type { SendQueue } from "./send_queue.ts";
import { TypingSignal } from "./typing_signal.ts";

const LEFT = new ChatError("The room was left", { code: "closed", temporary: false });

/** How far a member is that the server has let in. */
export interface Arrival {
  /** The place in the log where the stay stands. */
  readonly cursor: string;
  /** False where messages from before may be lost. */
  readonly recovered: boolean;
}

/** How {@linkcode RoomSession} behaves. */
export interface RoomSessionOptions {
  /** The room's name. */
  readonly room: string;
  /** Reads messages that the connection does not bring. */
  readonly history: HistoryClient;
  /** Begin after this place; undefined for a newcomer. */
  readonly after?: string;
  /** Gives how many messages of history a newcomer gets. */
  readonly historyLength: () => number;
  /** The messages that wait to be sent. */
  readonly queue: SendQueue<LogRecord>;
  /** Aborted, with a {@linkcode ChatError}, when it has ended for good. */
  readonly closing: AbortSignal;
  /** Gives the user's name, and what the server allows, once it has told. */
  readonly member: () => { readonly user: string; readonly limits: Limits | undefined };
  /** Sends a sign of typing. */
  readonly sendTyping: (status: boolean) => void;
  /** Called with each record once, in the log's order. */
  readonly onRecord: (record: LogRecord) => void;
  /** Called where what comes next does not follow what came before. */
  readonly onGap?: () => void;
  /** Called when everything that was missed was handed on; then what is live is. */
  readonly onArrive: (arrival: Arrival) => void;
  /** Called where what was missed could not be read: it should be tried on another stay. */
  readonly onLater: (reason: string) => void;
}

/**
 * Membership of a room: where the member stands in its log, what waits to be sent, who is told of
 * typing. The same for one room on a connection and for many.
 */
export class RoomSession {
  readonly #options: RoomSessionOptions;
  readonly #typing: TypingSignal;
  #position: LogPosition;
  /** Settles when there is a place to load older messages from; then, when the last call ended. */
  #loading!: Promise<unknown>;
  #setReady!: () => void;
  /** Why it has ended, until it starts anew. */
  #ended: ChatError | undefined;

  /** @param options The room, and what to call. */
  constructor(options: RoomSessionOptions) {
    this.#options = options;
    this.#typing = new TypingSignal(options.sendTyping);
    this.#position = this.#newcomer(options.after);
  }

  /** The place up to which everything was handed on. */
  get cursor(): string | undefined {
    return this.#position.cursor;
  }

  /**
   * Takes a record that the connection brought.
   *
   * @param record The record.
   */
  take(record: LogRecord): void {
    // A repeat is an acknowledgement, though it was handed on before.
    this.#settle(record);
    this.#position.take(record);
  }

  /**
   * The server has let the member in. What it could not resume with is read first.
   *
   * @param joined Where the stay stands.
   * @param stay Aborted when the stay ends.
   */
  joined(joined: Arrival, stay: AbortSignal): void {
    if (joined.recovered) this.#arrive(joined, true, stay);
    else void this.#recover(joined, stay);
  }

  /** The stay has ended; another one may come. */
  lost(): void {
    this.#options.queue.detach();
    this.#position.stop();
    this.#typing.reset();
  }

  /**
   * It has ended for good.
   *
   * @param reason What the promises of messages reject with.
   */
  end(reason: ChatError): void {
    this.#ended = reason;
    this.#setReady();
    this.#options.queue.fail(reason);
  }

  /** Forgets where the member stood: the next stay is that of a newcomer. */
  restart(): void {
    this.#setReady();
    this.#ended = undefined;
    this.#position = this.#newcomer();
  }

  /**
   * Sets the oldest message that the caller still has: what is older is loaded again.
   *
   * @param cursor Its place; undefined where there is none.
   */
  forgetBefore(cursor: string | undefined): void {
    this.#position.forgetBefore(cursor);
  }

  /**
   * Sends a message.
   *
   * @param draft The message.
   * @param signal Withdraws it.
   * @returns The message as it is stored.
   */
  send(draft: Draft, signal?: AbortSignal): Promise<StoredMessage> {
    const sent = this.#add((options) => outgoingMessage(draft, options), signal);
    this.#typing.reset();
    return sent as Promise<StoredMessage>;
  }

  /**
   * Sends a change of a message.
   *
   * @param draft The change.
   * @param signal Withdraws it.
   * @returns The change as it is stored.
   */
  change(draft: ChangeDraft, signal?: AbortSignal): Promise<MessageChange> {
    const sent = this.#add((options) => outgoingChange(draft, options), signal);
    return sent as Promise<MessageChange>;
  }

  /**
   * Tells the others that the user is typing, or no longer is.
   *
   * @param isTyping Which.
   */
  typing(isTyping: boolean): void {
    this.#typing.set(isTyping, this.#options.member().limits?.typing_timeout_ms);
  }

  /**
   * Reads the messages before the oldest one that was seen or loaded.
   *
   * @param limit How many at most.
   * @returns Oldest first; empty at the beginning of the room.
   */
  loadOlder(limit: number): Promise<StoredMessage[]> {
    if (!Number.isInteger(limit) || limit < 1) {
      return Promise.reject(new RangeError(`Cannot load ${limit} messages`));
    }
    const position = this.#position;
    const load = () => {
      if (this.#ended) throw this.#ended;
      if (position !== this.#position) throw LEFT;
      return position.loadOlder(Math.min(limit, PAGE_MAX), this.#options.closing);
    };
    const loading = this.#loading.then(load, load);
    this.#loading = loading;
    return loading;
  }

  #add(
    prepare: (options: OutgoingOptions) => Decoded<"outgoing", Outgoing>,
    signal: AbortSignal | undefined,
  ): Promise<LogRecord> {
    const { room, closing, queue, member } = this.#options;
    if (closing.aborted) return Promise.reject(closing.reason);
    try {
      // Without the server's limit, which it has yet to tell, the server is the judge.
      const prepared = prepare({ room, limits: member().limits });
      if (!prepared.ok) return Promise.reject(errorOf(prepared.error));
      return queue.add(prepared.outgoing, signal);
    } catch (error) {
      return Promise.reject(error); // Data that is no JSON.
    }
  }

  #newcomer(after?: string): LogPosition {
    this.#loading = new Promise<void>((resolve) => this.#setReady = resolve);
    const { history, historyLength, onRecord, onGap } = this.#options;
    const deliver = (record: LogRecord) => {
      this.#settle(record);
      onRecord(record);
    };
    return new LogPosition({
      history,
      after,
      historyLength: historyLength(),
      onRecord: deliver,
      onGap,
    });
  }

  async #recover(joined: Arrival, stay: AbortSignal): Promise<void> {
    const recovery = await this.#position.recover(joined.cursor, stay);
    if (stay.aborted) return;
    if (recovery === "later") return this.#options.onLater("What was missed could not be read");
    const { cursor } = joined;
    this.#arrive({ cursor, recovered: recovery === "whole" }, recovery !== "unread", stay);
  }

  #arrive(arrival: Arrival, wasRead: boolean, stay: AbortSignal): void {
    const goOn = this.#position.arrive(arrival.cursor, wasRead);
    const { limits } = this.#options.member();
    if (limits) this.#options.queue.attach(limits);
    this.#setReady();
    this.#options.onArrive(arrival);
    goOn(stay);
  }

  #settle(record: LogRecord): void {
    if (record.user === this.#options.member().user) this.#options.queue.settle(record);
  }
}
