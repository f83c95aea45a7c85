/**
 * State of a room, and what becomes of it.
 *
 * @module
 */

import { type Draft, encodeEnvelope } from "../protocol/mod.ts";
import type { JoinedEnvelopeV2, JoinPayloadV2, ProblemV2 } from "../protocol/mod.ts";
import { ChatError } from "./chat_error.ts";
import { HistoryClient } from "./history_client.ts";
import { MessageSender } from "./message_sender.ts";
import type { RoomContext } from "./room_context.ts";
import { type EnvelopeOfRoom, RoomMembership } from "./room_membership.ts";
import { RoomMessages } from "./room_messages.ts";
import type { RoomObserver } from "./room_observer.ts";
import type { CheckedRoomOptions } from "./room_options.ts";
import { RoomPresence } from "./room_presence.ts";
import type { Arrival } from "./room_session.ts";
import type { RoomMessage, RoomSnapshot, StoredMessage } from "./room_state.ts";
import { messageOfPage, storedMessage } from "./room_state.ts";
import { RoomTimeline } from "./room_timeline.ts";
import { SendQueue } from "./send_queue.ts";
import { SnapshotStore } from "./snapshot_store.ts";

/**
 * A room on a connection that it may share: what is known of it, what waits to be sent, whether it
 * is to be joined. {@linkcode Room} and {@linkcode ChatConnection} are what an application sees.
 */
export class RoomModel {
  /** The room's name. */
  readonly name: string;
  /** Joins and leaves; takes what the connection brings. */
  readonly membership: RoomMembership;
  /** The users in the room, and those who type. */
  readonly presence: RoomPresence;
  readonly #context: RoomContext;
  readonly #options: CheckedRoomOptions;
  readonly #observer: RoomObserver;
  readonly #store: SnapshotStore<RoomSnapshot>;
  readonly #messages: RoomMessages;
  readonly #queue: SendQueue<StoredMessage>;
  readonly #timeline: RoomTimeline;
  readonly #sender: MessageSender;
  /** What the hub said when it let the member in, on the present stay. */
  #welcome: JoinedEnvelopeV2["payload"] | undefined;
  #isLeft = false;
  #isSettling = false;

  /**
   * @param name The room's name.
   * @param options How it is joined.
   * @param context The connection.
   * @param observer What else to call than the subscribers of its snapshots.
   */
  constructor(
    name: string,
    options: CheckedRoomOptions,
    context: RoomContext,
    observer: RoomObserver = {},
  ) {
    const { connection, settings, pace, http, pages, url, closing, member } = context;
    const changed = () => this.#store.changed();
    this.name = name;
    this.#context = context;
    this.#options = options;
    this.#observer = observer;
    this.#store = new SnapshotStore(() => this.#snapshot());
    this.presence = new RoomPresence(() => {
      changed();
      observer.onUsers?.();
    });
    this.#queue = new SendQueue({
      maxDelayMs: settings.maxDelayMs,
      limit: settings.queueLimit,
      pace,
      encode: (payload) => encodeEnvelope({ type: "chat_message", room: name, payload }),
      transmit: (envelopes) => connection.ask(envelopes),
      onChange: () => {
        changed();
        this.#settleSoon();
      },
    });
    this.#messages = new RoomMessages({
      keep: options.keep,
      keepFailed: settings.queueLimit,
      isInFlight: (ref) => this.#queue.isInFlight(ref),
    });
    this.#timeline = new RoomTimeline({
      messages: this.#messages,
      history: new HistoryClient({ url, http, read: messageOfPage, limit: pages }),
      after: options.after,
      historyLength: options.history,
      queue: this.#queue,
      closing,
      member,
      sendTyping: (status) => {
        connection.send({ type: "typing_status", room: name, payload: { status } });
      },
      onMessage: (message) => observer.onMessage?.(message),
      onArrive: (arrival) => this.#arrived(arrival),
      onLater: (reason) => this.membership.tryLater(reason),
      onChange: changed,
    });
    this.#sender = new MessageSender({
      messages: this.#messages,
      queue: this.#queue,
      session: this.#timeline.session,
      user: () => member().user,
      onChange: changed,
    });
    this.membership = new RoomMembership({
      room: name,
      connection,
      delays: settings,
      join: () => this.#join(),
      onJoined: (joined, stay) => this.#joined(joined, stay),
      onEnvelope: (envelope) => this.#take(envelope),
      onUnknownPlace: () => {
        this.#timeline.clear();
        this.#timeline.session.restart();
      },
      onLost: () => this.#lost(),
      onClosed: (error) => {
        this.#timeline.session.end(error);
        observer.onClosed?.(error);
      },
      onChange: () => {
        changed();
        observer.onStatus?.();
      },
    });
  }

  /** The state of now; the same object until something of it changes. */
  get snapshot(): RoomSnapshot {
    return this.#store.snapshot;
  }

  /** The place up to which everything was handed on. */
  get cursor(): string | undefined {
    return this.#timeline.session.cursor;
  }

  /** Calls a listener after each change, and joins the room; returns the end of that. */
  subscribe(listener: () => void): () => void {
    const unsubscribe = this.#store.subscribe(listener);
    this.#isLeft = false;
    this.#settleSoon();
    return () => {
      unsubscribe();
      this.#settleSoon();
    };
  }

  /** Sends a message, which is shown meanwhile. */
  send(draft: Draft): Promise<StoredMessage> {
    return this.#wanted(() => this.#sender.send(draft));
  }

  /** Sends a message that is not shown before it is stored; the signal withdraws it. */
  post(draft: Draft, signal?: AbortSignal): Promise<StoredMessage> {
    return this.#wanted(() => this.#timeline.session.send(draft, signal));
  }

  /** Sends a message again that has failed. */
  retry(message: RoomMessage): Promise<StoredMessage> {
    return this.#wanted(() => this.#sender.retry(message));
  }

  /** Removes a message that is not stored. */
  discard({ ref = "" }: RoomMessage): void {
    this.#messages.discard(ref);
    this.#store.changed();
  }

  /** Shows the others that the user is typing, or no longer is. */
  typing(isTyping: boolean): void {
    if (this.membership.status === "live") this.#timeline.session.typing(isTyping);
  }

  /** Reads the messages before the oldest one that is kept, and keeps them. */
  loadOlder(limit: number): Promise<StoredMessage[]> {
    return this.#wanted(async () => {
      try {
        return await this.#timeline.loadOlder(limit);
      } finally {
        this.#settleSoon();
      }
    });
  }

  /** Leaves the room now, whatever it is wanted for. */
  leave(): void {
    this.#isLeft = true;
    const message = `Room "${this.name}" was left`;
    this.#timeline.session.end(new ChatError(message, { code: "closed", temporary: false }));
    this.#settle();
  }

  /** The state of the connection has changed. */
  connectionChanged(): void {
    this.#store.changed();
  }

  /** Does what the room is to be joined for, unless the hub has said that it is in vain. */
  #wanted<T>(act: () => Promise<T>): Promise<T> {
    const { status, error } = this.membership;
    if (status === "closed") return Promise.reject(error);
    this.#isLeft = false;
    this.#settleSoon();
    return act();
  }

  #snapshot(): RoomSnapshot {
    const { status, error } = this.membership;
    const { users, userCount, typingUsers: typing } = this.presence;
    this.#messages.update(this.#context.member().user);
    const messages = this.#messages.list;
    return { status, messages, typing, users, userCount, hasOlder: this.#timeline.hasOlder, error };
  }

  /** Joins or leaves at the end of this turn, so that who comes as another goes costs nothing. */
  #settleSoon(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    queueMicrotask(() => {
      this.#isSettling = false;
      this.#settle();
    });
  }

  #settle(): void {
    const isUsed = this.#store.size + this.#queue.size > 0 || this.#timeline.isLoading;
    const isWanted = isUsed && !this.#isLeft;
    if (!this.membership.want(isWanted) || isWanted) return;
    this.#timeline.reset();
    this.presence.reset({ users: [], typing: [] });
  }

  #join(): JoinPayloadV2 {
    const { presence } = this.#options;
    const payload = this.#timeline.enter();
    return presence ? payload : { ...payload, presence };
  }

  #take(envelope: EnvelopeOfRoom): void {
    const { onPresence, onTyping } = this.#observer;
    switch (envelope.type) {
      case "chat_message":
        return this.#timeline.session.take(storedMessage(envelope.payload));
      case "presence": {
        const { joined, left } = envelope.payload;
        this.presence.change(joined.map(({ user }) => user), left);
        return onPresence?.(envelope.payload);
      }
      case "typing_status":
        this.presence.setTyping(envelope.payload);
        return onTyping?.(envelope.payload);
      case "error":
        return this.#queue.refuse(problemOfMessage(envelope.payload));
    }
  }

  #joined(joined: JoinedEnvelopeV2["payload"], stay: AbortSignal): void {
    const { users, typing, user_count: userCount } = joined;
    this.#welcome = joined;
    this.presence.reset({ users: users.map(({ user }) => user), typing, userCount });
    this.#timeline.session.joined(joined, stay);
  }

  #arrived({ recovered }: Arrival): void {
    const joined = this.#welcome;
    this.membership.live();
    // What is told of the status may have ended the stay.
    if (joined && this.#welcome === joined) this.#observer.onArrive?.({ ...joined, recovered });
  }

  #lost(): void {
    this.#welcome = undefined;
    this.#timeline.lost();
    this.presence.disconnect();
  }
}

/** What was sent before the end of a stay was known here waits for the next one. */
function problemOfMessage(problem: ProblemV2): ProblemV2 {
  return problem.code === "not_joined" ? { ...problem, code: "unavailable" } : problem;
}
