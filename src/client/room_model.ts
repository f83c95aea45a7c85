/**
 * State of a room, and what becomes of it.
 *
 * @module
 */

import type { Draft, MessageBody } from "../protocol/mod.ts";
import { ChangeSender } from "./change_sender.ts";
import { ChatError } from "./chat_error.ts";
import { HistoryClient, type HistoryPage, type PageOptions } from "./history_client.ts";
import { MessageSender } from "./message_sender.ts";
import type { RoomContext } from "./room_context.ts";
import { RoomInterest } from "./room_interest.ts";
import { RoomMembership } from "./room_membership.ts";
import { RoomMessages } from "./room_messages.ts";
import { type RoomObserver, RoomObservers } from "./room_observer.ts";
import type { CheckedRoomOptions } from "./room_options.ts";
import { RoomPeople } from "./room_people.ts";
import type { RoomPresence } from "./room_presence.ts";
import { RoomReading } from "./room_reading.ts";
import { RoomSanctions } from "./room_sanctions.ts";
import type { LogRecord, RoomMessage, RoomSnapshot, StoredMessage } from "./room_state.ts";
import { messageOfPage } from "./room_state.ts";
import { RoomStays } from "./room_stays.ts";
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
  /** Mutes, bans and kicks. */
  readonly sanctions: RoomSanctions;
  /** What else is called than the subscribers of its snapshots. */
  readonly observers: RoomObservers;
  /** How far the user has read. */
  readonly reading: RoomReading;
  readonly #context: RoomContext;
  #options: CheckedRoomOptions;
  readonly #store: SnapshotStore<RoomSnapshot>;
  readonly #messages: RoomMessages;
  readonly #queue: SendQueue<LogRecord>;
  readonly #timeline: RoomTimeline;
  readonly #history: HistoryClient;
  readonly #sender: MessageSender;
  readonly #changes: ChangeSender;
  readonly #interest: RoomInterest;
  readonly #people: RoomPeople;
  readonly #stays: RoomStays;
  #isWatched = false;

  /**
   * @param name The room's name.
   * @param options How it is joined.
   * @param context The connection.
   * @param first What else to call than the subscribers of its snapshots.
   */
  constructor(
    name: string,
    options: CheckedRoomOptions,
    context: RoomContext,
    first: RoomObserver = {},
  ) {
    const { connection, settings, pace, http, pages, url, closing, member } = context;
    const changed = () => this.#store.changed();
    this.name = name;
    this.#context = context;
    this.#options = options;
    const observer = this.observers = new RoomObservers(first);
    this.#people = new RoomPeople(observer, changed);
    this.sanctions = new RoomSanctions({ url, http, closing });
    this.#store = new SnapshotStore(() => this.#snapshot());
    this.#queue = new SendQueue({
      maxDelayMs: settings.maxDelayMs,
      limit: settings.queueLimit,
      pace,
      transmit: (envelopes) => connection.ask(envelopes),
      onChange: () => {
        changed();
        this.#sender.noteTried();
        this.#interest.settleSoon();
      },
    });
    this.#messages = new RoomMessages({
      keep: () => this.#options.keep,
      keepFailed: settings.queueLimit,
      isInFlight: (ref) => this.#queue.isInFlight(ref),
    });
    const user = () => member().user;
    const read = (message: MessageBody) => messageOfPage(message, user());
    this.#history = new HistoryClient({ url, http, read, limit: pages });
    this.reading = new RoomReading({
      room: name,
      context,
      history: this.#history,
      isIdle: () => this.membership.status === "idle",
      onChange: () => {
        changed();
        observer.onUnread();
      },
    });
    this.#timeline = new RoomTimeline({
      room: name,
      messages: this.#messages,
      history: this.#history,
      after: options.after,
      historyLength: () => this.#options.history,
      queue: this.#queue,
      closing,
      member,
      sendTyping: (status) =>
        connection.send({ type: "typing_status", room: name, payload: { status } }),
      onGap: () => this.reading.unread.begin(),
      onMessage: (message) => {
        this.#sender.stored(message.ref);
        this.reading.unread.took(message);
        observer.onMessage(message);
      },
      onMessageChange: (change) => {
        this.reading.unread.changed(change);
        observer.onMessageChange(change, this.#messages.find(change.message));
      },
      onArrive: (arrival) => this.#stays.member.arrived(arrival),
      onLater: (reason) => this.membership.tryLater(reason),
      onChange: changed,
    });
    const { session } = this.#timeline;
    const [messages, queue] = [this.#messages, this.#queue];
    const senderOptions = { messages, queue, session, user, onChange: changed };
    this.#sender = new MessageSender({ ...senderOptions, room: name, unsent: context.unsent });
    this.#changes = new ChangeSender(senderOptions);
    this.#stays = new RoomStays({
      timeline: this.#timeline,
      people: this.#people,
      reading: this.reading,
      queue,
      user,
      membership: () => this.membership,
      isPresent: options.presence,
      onArrive: () => this.#sender.restore(),
      onArrived: observer.onArrive,
      onEntered: () => context.onEntered(name),
    });
    this.membership = new RoomMembership({
      room: name,
      connection,
      delays: settings,
      stay: () => this.#stays.current,
      onClosed: (error) => {
        session.end(error);
        observer.onClosed(error);
      },
      onChange: () => {
        changed();
        observer.onStatus();
      },
    });
    this.#interest = new RoomInterest({
      membership: this.membership,
      isUsed: () => this.#store.size + this.#queue.size > 0 || this.#timeline.isLoading,
      isWatched: () => this.#isWatched,
      onWant: () => this.#stays.adapt(this.#interest.isUsed),
      onLeave: () => this.reading.flush(),
      onLeft: () => {
        this.#timeline.reset();
        this.#people.left();
      },
    });
  }

  /** The state of now; the same object until something of it changes. */
  get snapshot(): RoomSnapshot {
    return this.#store.snapshot;
  }

  /** Whether an application uses it; it may be in a list besides. */
  get isUsed(): boolean {
    return this.#interest.isUsed;
  }

  /** The users in the room, and those who type. */
  get presence(): RoomPresence {
    return this.#people.presence;
  }

  /** The place up to which everything was handed on. */
  get cursor(): string | undefined {
    return this.#timeline.session.cursor;
  }

  /** Calls a listener after each change, and joins the room; returns the end of that. */
  subscribe(listener: () => void): () => void {
    const unsubscribe = this.#store.subscribe(listener);
    this.#sender.restore();
    this.#interest.renew();
    return () => {
      unsubscribe();
      this.#interest.settleSoon();
    };
  }

  /** Sends a message, which is shown meanwhile. */
  send(draft: Draft): Promise<StoredMessage> {
    return this.#interest.during(() => this.#sender.send(draft));
  }

  /** Sends a message that is not shown before it is stored. */
  post(draft: Draft, signal?: AbortSignal): Promise<StoredMessage> {
    return this.#interest.during(() => this.#timeline.session.send(draft, signal));
  }

  /** Changes a message, which is shown as it will be meanwhile. */
  change(...[message, draft]: Parameters<ChangeSender["send"]>): ReturnType<ChangeSender["send"]> {
    return this.#interest.during(() => this.#changes.send(message, draft));
  }

  /** Sends a message again that has failed, or changes of it that have. */
  retry(message: RoomMessage): Promise<StoredMessage | undefined> {
    return this.#interest.during(() => this.#changes.retry(message) ?? this.#sender.retry(message));
  }

  /** Removes a message that is not stored, or gives changes of it up that are not. */
  discard({ ref = "", cursor }: RoomMessage): void {
    if (cursor === undefined) this.#sender.discard(ref);
    else this.#messages.pending.discard(cursor);
    this.#messages.changed();
    this.#store.changed();
  }

  /** Finds a message, here or at the server. */
  async find(cursor: string): Promise<StoredMessage | undefined> {
    const kept = this.#messages.find(cursor);
    return kept ?? await this.#history.message(cursor, this.#context.closing);
  }

  /** Reads messages that are not kept. */
  readonly read = (options: PageOptions): Promise<HistoryPage> =>
    this.#history.page(options, this.#context.closing);

  /** Shows the others that the user is typing, or no longer is. */
  typing(isTyping: boolean): void {
    if (this.snapshot.status === "live") this.#timeline.session.typing(isTyping);
  }

  /** Reads the messages before the oldest one that is kept, and keeps them. */
  loadOlder(limit: number): Promise<StoredMessage[]> {
    return this.#interest.during(() =>
      this.#timeline.loadOlder(limit).finally(() => this.#interest.settleSoon())
    );
  }

  /** Sets how the room is joined, for an application that has not used it before. */
  set options(options: CheckedRoomOptions) {
    this.#options = options;
    this.#stays.isPresent = options.presence;
    this.#timeline.reset();
  }

  /** Sets whether a list shows the room, which is then joined in any case. */
  set isWatched(isWatched: boolean) {
    this.#isWatched = isWatched;
    this.#interest.settleSoon();
  }

  /** Joins the room anew, shown as here or not. */
  set isPresent(isPresent: boolean) {
    this.#stays.isPresent = isPresent;
  }

  /** Leaves the room now, whatever it is wanted for. */
  leave(): void {
    const message = `Room "${this.name}" was left`;
    this.#timeline.session.end(new ChatError(message, { code: "closed", temporary: false }));
    this.#interest.leave();
  }

  /** The state of the connection has changed. */
  connectionChanged(): void {
    this.#store.changed();
  }

  #snapshot(): RoomSnapshot {
    const { status: stage, error } = this.membership;
    // That a list shows it concerns nobody here.
    const status = this.#stays.isWatch && stage !== "closed" ? "idle" : stage;
    const { hasOlder } = this.#timeline;
    this.#messages.update(this.#context.member().user);
    const messages = this.#messages.list;
    return { status, messages, ...this.#people.snapshot, hasOlder, ...this.reading.view, error };
  }
}
