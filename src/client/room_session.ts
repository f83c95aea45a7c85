/**
 * Membership of one room, over however many stays it takes.
 *
 * @module
 */

import { decodeDraft, type Draft, type Limits, PAGE_MAX } from "../protocol/mod.ts";
import { ChatError, errorOf } from "./chat_error.ts";
import type { Placed } from "./gap_fill.ts";
import type { HistoryClient } from "./history_client.ts";
import { LogPosition } from "./log_position.ts";
import type { Acknowledged, SendQueue } from "./send_queue.ts";
import { TypingSignal } from "./typing_signal.ts";

const LEFT = new ChatError("The room was left", { code: "closed", temporary: false });

/** What a session needs of a message. */
export interface SessionMessage extends Placed, Acknowledged {
  /** Who sent it. */
  readonly user: string;
}

/** How far a member is that the server has let in. */
export interface Arrival {
  /** The place in the log where the stay stands. */
  readonly cursor: string;
  /** False where messages from before may be lost. */
  readonly recovered: boolean;
}

/** How {@linkcode RoomSession} behaves. */
export interface RoomSessionOptions<M> {
  /** Reads messages that the connection does not bring. */
  readonly history: HistoryClient<M>;
  /** Begin after this place; undefined for a newcomer. */
  readonly after?: string;
  /** How many messages of history a newcomer gets. */
  readonly historyLength: number;
  /** The messages that wait to be sent. */
  readonly queue: SendQueue<M & SessionMessage>;
  /** Aborted, with a {@linkcode ChatError}, when it has ended for good. */
  readonly closing: AbortSignal;
  /** Gives the user's name, and what the server allows, once it has told. */
  readonly member: () => { readonly user: string; readonly limits: Limits | undefined };
  /** Sends a sign of typing. */
  readonly sendTyping: (status: boolean) => void;
  /** Called with each message once, in the log's order. */
  readonly onMessage: (message: M) => void;
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
export class RoomSession<M extends SessionMessage> {
  readonly #options: RoomSessionOptions<M>;
  readonly #typing: TypingSignal;
  #position: LogPosition<M>;
  /** Settles when there is a place to load older messages from; then, when the last call ended. */
  #loading!: Promise<unknown>;
  #setReady!: () => void;
  /** Why it has ended, until it starts anew. */
  #ended: ChatError | undefined;

  /** @param options The room, and what to call. */
  constructor(options: RoomSessionOptions<M>) {
    this.#options = options;
    this.#typing = new TypingSignal(options.sendTyping);
    this.#position = this.#newcomer(options.after);
  }

  /** The place up to which everything was handed on. */
  get cursor(): string | undefined {
    return this.#position.cursor;
  }

  /**
   * Takes a message that the connection brought.
   *
   * @param message The message.
   */
  take(message: M): void {
    // A repeat is an acknowledgement, though it was handed on before.
    this.#settle(message);
    this.#position.take(message);
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
  send(draft: Draft, signal?: AbortSignal): Promise<M> {
    const { closing, queue, member } = this.#options;
    if (closing.aborted) return Promise.reject(closing.reason);
    // Without the server's limit, which it has yet to tell, the server is the judge.
    const textMaxBytes = member().limits?.text_max_bytes ?? Infinity;
    const decoded = decodeDraft(draft, { textMaxBytes });
    if (!decoded.ok) return Promise.reject(errorOf(decoded.error));
    this.#typing.reset();
    return queue.add(decoded.draft, signal);
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
  loadOlder(limit: number): Promise<M[]> {
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

  #newcomer(after?: string): LogPosition<M> {
    this.#loading = new Promise<void>((resolve) => this.#setReady = resolve);
    const { history, historyLength, onMessage, onGap } = this.#options;
    const deliver = (message: M) => {
      this.#settle(message);
      onMessage(message);
    };
    return new LogPosition<M>({ history, after, historyLength, onMessage: deliver, onGap });
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

  #settle(message: M): void {
    if (message.user === this.#options.member().user) this.#options.queue.settle(message);
  }
}
