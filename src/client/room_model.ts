/**
 * State of a room, and what becomes of it.
 *
 * @module
 */

import { type Draft, encodeEnvelope, HISTORY_DEFAULT } from "../protocol/mod.ts";
import type { JoinedEnvelopeV2, JoinPayloadV2, ProblemV2 } from "../protocol/mod.ts";
import { ChatError } from "./chat_error.ts";
import { HistoryClient } from "./history_client.ts";
import { MessageSender } from "./message_sender.ts";
import type { RoomContext } from "./room_context.ts";
import { type EnvelopeOfRoom, RoomMembership } from "./room_membership.ts";
import { RoomMessages } from "./room_messages.ts";
import type { CheckedRoomOptions } from "./room_options.ts";
import { RoomPresence } from "./room_presence.ts";
import { RoomSession } from "./room_session.ts";
import type { RoomMessage, RoomSnapshot, StoredMessage } from "./room_state.ts";
import { messageOfPage, storedMessage } from "./room_state.ts";
import { SendQueue } from "./send_queue.ts";
import { SnapshotStore } from "./snapshot_store.ts";

/**
 * A room on a connection that it shares: what is known of it, what waits to be sent, whether it is to
 * be joined. {@linkcode Room} is what an application sees of it.
 */
export class RoomModel {
  /** The room's name. */
  readonly name: string;
  /** Joins and leaves; takes what the connection brings. */
  readonly membership: RoomMembership;
  readonly #context: RoomContext;
  readonly #options: CheckedRoomOptions;
  readonly #store: SnapshotStore<RoomSnapshot>;
  readonly #messages: RoomMessages;
  readonly #queue: SendQueue<StoredMessage>;
  readonly #session: RoomSession<StoredMessage>;
  readonly #sender: MessageSender;
  readonly #presence = new RoomPresence(() => this.#store.changed());
  #hasOlder = false;
  /** Messages so far of the history that a newcomer gets. */
  #received: number | undefined;
  /** Calls of `loadOlder` that are under way. */
  #loads = 0;
  /** How often what was kept was given up, so that a page on its way no longer fits. */
  #restarts = 0;
  #isLeft = false;
  #isSettling = false;

  /**
   * @param name The room's name.
   * @param options How it is joined.
   * @param context The client.
   */
  constructor(name: string, options: CheckedRoomOptions, context: RoomContext) {
    const { connection, settings, pace, http, pages, url, closing, member } = context;
    this.name = name;
    this.#context = context;
    this.#options = options;
    this.#store = new SnapshotStore(() => this.#snapshot());
    this.#queue = new SendQueue({
      maxDelayMs: settings.maxDelayMs,
      limit: settings.queueLimit,
      pace,
      encode: (payload) => encodeEnvelope({ type: "chat_message", room: name, payload }),
      transmit: (envelopes) => connection.ask(envelopes),
      onChange: () => {
        this.#store.changed();
        this.#settleSoon();
      },
    });
    this.#messages = new RoomMessages({
      keep: options.keep,
      keepFailed: settings.queueLimit,
      isInFlight: (ref) => this.#queue.isInFlight(ref),
    });
    this.#session = new RoomSession<StoredMessage>({
      history: new HistoryClient({ url, http, read: messageOfPage, limit: pages }),
      historyLength: options.history,
      queue: this.#queue,
      closing,
      member,
      sendTyping: (status) => {
        connection.send({ type: "typing_status", room: name, payload: { status } });
      },
      onMessage: (message) => this.#append(message),
      onGap: () => this.#restart(),
      onArrive: () => this.#arrived(),
      onLater: (reason) => this.membership.tryLater(reason),
    });
    this.#sender = new MessageSender({
      messages: this.#messages,
      queue: this.#queue,
      session: this.#session,
      user: () => member().user,
      onChange: () => this.#store.changed(),
    });
    this.membership = new RoomMembership({
      room: name,
      connection,
      delays: settings,
      join: () => this.#join(),
      onJoined: (joined, stay) => this.#joined(joined, stay),
      onEnvelope: (envelope) => this.#take(envelope),
      onUnknownPlace: () => {
        this.#restart();
        this.#session.restart();
      },
      onLost: () => this.#lost(),
      onClosed: (error) => this.#session.end(error),
      onChange: () => this.#store.changed(),
    });
  }

  /** The state of now; the same object until something of it changes. */
  get snapshot(): RoomSnapshot {
    return this.#store.snapshot;
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

  /** Sends a message. */
  send(draft: Draft): Promise<StoredMessage> {
    return this.#wanted(() => this.#sender.send(draft));
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
    if (this.membership.status === "live") this.#session.typing(isTyping);
  }

  /** Reads the messages before the oldest one that is kept, and keeps them. */
  loadOlder(limit: number): Promise<StoredMessage[]> {
    return this.#wanted(() => this.#loadOlder(limit));
  }

  /** Leaves the room now, whatever it is wanted for. */
  leave(): void {
    this.#isLeft = true;
    const message = `Room "${this.name}" was left`;
    this.#session.end(new ChatError(message, { code: "closed", temporary: false }));
    this.#settle();
  }

  /** The state of the connection has changed. */
  connectionChanged(): void {
    this.#store.changed();
  }

  async #loadOlder(limit: number): Promise<StoredMessage[]> {
    this.#loads++;
    const restarts = this.#restarts;
    try {
      this.#messages.grow(limit);
      const older = await this.#session.loadOlder(limit);
      if (restarts === this.#restarts) {
        this.#messages.prepend(older);
        this.#hasOlder = older.length > 0;
        this.#store.changed();
      } else this.#session.forgetBefore(this.#messages.oldest);
      return older;
    } finally {
      this.#loads--;
      this.#settleSoon();
    }
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
    const { users, userCount, typingUsers: typing } = this.#presence;
    this.#messages.update(this.#context.member().user);
    const messages = this.#messages.list;
    return { status, messages, typing, users, userCount, hasOlder: this.#hasOlder, error };
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
    const isWanted = this.#store.size + this.#queue.size + this.#loads > 0 && !this.#isLeft;
    if (!this.membership.want(isWanted) || isWanted) return;
    this.#restart();
    this.#session.restart();
    this.#presence.reset({ users: [], typing: [] });
    this.#hasOlder = false;
  }

  #join(): JoinPayloadV2 {
    const { history, presence } = this.#options;
    const { cursor: after } = this.#session;
    this.#received = after === undefined ? 0 : undefined;
    // A resumed stay needs what was missed, not what was seen.
    const payload = { after, history: after === undefined ? history : 0 };
    return presence ? payload : { ...payload, presence };
  }

  #take(envelope: EnvelopeOfRoom): void {
    switch (envelope.type) {
      case "chat_message":
        return this.#session.take(storedMessage(envelope.payload));
      case "presence": {
        const { joined, left } = envelope.payload;
        return this.#presence.change(joined.map(({ user }) => user), left);
      }
      case "typing_status":
        return this.#presence.setTyping(envelope.payload);
      case "error":
        return this.#queue.refuse(problemOfMessage(envelope.payload));
    }
  }

  #joined(joined: JoinedEnvelopeV2["payload"], stay: AbortSignal): void {
    const { users, typing, user_count: userCount } = joined;
    this.#presence.reset({ users: users.map(({ user }) => user), typing, userCount });
    this.#session.joined(joined, stay);
  }

  #arrived(): void {
    const { history } = this.#options;
    // A page is bounded in bytes, but never shorter than this where there is more.
    const least = Math.min(history, HISTORY_DEFAULT);
    if (this.#received !== undefined) this.#hasOlder = this.#received >= least;
    this.#received = undefined;
    this.#messages.passed(this.#session.cursor);
    this.membership.live();
  }

  #append(message: StoredMessage): void {
    if (this.#received !== undefined) this.#received++;
    if (this.#messages.append(message)) {
      this.#hasOlder = true;
      this.#session.forgetBefore(this.#messages.oldest);
    }
    this.#messages.passed(message.cursor);
    this.#store.changed();
  }

  #lost(): void {
    // Of a history that came in part, the older part may be what is missing.
    if (this.#received !== undefined) this.#hasOlder = true;
    this.#received = undefined;
    this.#session.lost();
    this.#presence.disconnect();
  }

  /** Gives up what is kept: what comes next does not follow it. */
  #restart(): void {
    this.#restarts++;
    this.#messages.clear();
    this.#session.forgetBefore(undefined);
    this.#hasOlder = true;
    this.#store.changed();
  }
}

/** What was sent before the end of a stay was known here waits for the next one. */
function problemOfMessage(problem: ProblemV2): ProblemV2 {
  return problem.code === "not_joined" ? { ...problem, code: "unavailable" } : problem;
}
