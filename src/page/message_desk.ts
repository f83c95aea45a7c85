/**
 * Changes of messages, and answers to them.
 *
 * @module
 */

import type { ChangedMessage, StoredMessage } from "../client/mod.ts";
import type { BubbleOptions } from "./bubble.ts";
import type { Composer } from "./composer.ts";
import { DeletionQuestion } from "./deletion_question.ts";
import { FrameTask } from "./frame_task.ts";
import { MessageTools } from "./message_tools.ts";
import type { Names } from "./names.ts";
import { changePhrase } from "./phrases.ts";
import { quoted, Quotes } from "./quotes.ts";
import type { RoomFeed } from "./room_feed.ts";
import type { Timeline } from "./timeline.ts";

/** Milliseconds for which a message stands out that the reader was led to. */
const FOUND_MS = 2_000;

/** The options of {@linkcode MessageDesk}. */
export interface MessageDeskOptions {
  /** The room. */
  readonly chat: RoomFeed;
  /** The messages that are shown. */
  readonly timeline: () => Timeline;
  /** The field for writing. */
  readonly composer: () => Composer;
  /** The element that holds the messages. */
  readonly scroller: HTMLElement;
  /** Changes what is shown, while what is in view stays where it is. */
  readonly hold: (change: () => void) => void;
  /** Brings a message into view, however far back it is. */
  readonly goTo: (cursor: string) => Promise<boolean>;
  /** The names and colours of people. */
  readonly names: Names;
  /** Gives the address of a message. */
  readonly linkOf: (cursor: string) => string;
  /** Asks what to do with a person. */
  readonly moderate: (user: string) => void;
  /** Announces a text to a screen reader. */
  readonly announce: (text: string) => void;
}

/** Everything that can be done with a message that is there: it is shown as it is now. */
export class MessageDesk {
  /** What bubbles need. */
  readonly bubbles: BubbleOptions;
  readonly #options: MessageDeskOptions;
  readonly #quotes: Quotes;
  readonly #tools: MessageTools;
  readonly #question: DeletionQuestion;
  readonly #repaint = new FrameTask(() => this.#show());

  /** @param options The page around it. */
  constructor(options: MessageDeskOptions) {
    const { chat, composer, scroller } = options;
    this.#options = options;
    this.#quotes = new Quotes({
      find: (cursor) => chat.room.find(cursor),
      onOpen: (cursor) => void this.open(cursor),
    });
    this.#question = new DeletionQuestion((message) =>
      void chat.room.delete(message).catch(ignore)
    );
    const react = (message: StoredMessage, emoji: string, status: boolean) => {
      chat.room.react(message, emoji, status).catch(ignore);
    };
    this.#tools = new MessageTools(scroller, {
      message: (cursor) => options.timeline().message(cursor),
      mayChange: (message) => message.user === chat.user || chat.snapshot.role === "moderator",
      mayWrite: () => chat.state.status !== "closed" && chat.snapshot.role !== "reader",
      react: (message, emoji) => react(message, emoji, !isOwnReaction(message, emoji)),
      reply: (message) => composer().reply(message),
      edit: (message) => composer().edit(message),
      remove: (message) => this.#question.ask(message, message.user === chat.user),
      link: (message) => void this.#copyLink(message),
      mayModerate: ({ user }) => user !== chat.user && chat.snapshot.role === "moderator",
      moderate: ({ user }) => options.moderate(user),
    });
    this.bubbles = {
      names: options.names,
      quote: (cursor) => this.#quotes.create(cursor),
      react: (message, emoji, status) => react(message as StoredMessage, emoji, status),
      retry: (message) => void chat.room.retry(message).catch(ignore),
      discard: (message) => chat.room.discard(message),
    };
    chat.addEventListener("messages", () => this.update());
    chat.addEventListener("change", ({ detail }) => void this.#changed(detail));
    chat.onErased((user) => {
      this.#quotes.erase(user);
      this.#refresh(options.timeline().without(user));
    });
  }

  /** Shows messages as they are now, in the next animation frame. */
  update(): void {
    this.#repaint.request();
  }

  #show(): void {
    const { chat, timeline } = this.#options;
    const stored = chat.snapshot.messages.filter((message): message is StoredMessage => {
      return message.status === "sent";
    });
    this.#refresh(timeline().changed(stored));
    const { last } = timeline();
    this.#tools.follow(last === undefined ? undefined : timeline().find(last));
  }

  #refresh(messages: readonly StoredMessage[]): void {
    if (messages.length === 0) return;
    const { composer, hold, timeline } = this.#options;
    hold(() => timeline().refresh(messages));
    for (const message of messages) {
      this.#quotes.update(message);
      if (!message.deleted) continue;
      composer().drop(message.cursor);
      this.#tools.hideFrom(message.cursor);
    }
  }

  async #changed({ change, message }: ChangedMessage): Promise<void> {
    const { chat, timeline, names, announce } = this.#options;
    if (chat.state.status === "live" && change.user !== chat.user && message) {
      announce(changePhrase(change, names.of(change.user), quoted(message)));
    }
    if (message) return this.#quotes.update(message);
    if (!timeline().message(change.message)) return;
    // It is shown, and so far back that the client no longer keeps it.
    const now = await chat.room.find(change.message).catch(ignore);
    if (now) this.#refresh([now]);
  }

  async #copyLink({ cursor }: StoredMessage): Promise<void> {
    const { linkOf, announce } = this.#options;
    const link = linkOf(cursor);
    try {
      await navigator.clipboard.writeText(link);
      announce("Link copied");
    } catch {
      // Without TLS, or without leave, there is no clipboard: it stands in the address bar.
      history.replaceState(null, "", link);
      announce("The link is in the address bar");
    }
  }

  /**
   * Leads to a message, however far back it is.
   *
   * @param cursor Its cursor.
   */
  async open(cursor: string): Promise<void> {
    const { timeline, goTo, announce } = this.#options;
    await goTo(cursor);
    const item = timeline().find(cursor);
    if (!item) return announce("That message is not here any more");
    this.#tools.focus(item);
    item.classList.add("found");
    setTimeout(() => item.classList.remove("found"), FOUND_MS);
  }
}

function isOwnReaction({ reactions = [] }: StoredMessage, emoji: string): boolean {
  return reactions.some((reaction) => reaction.emoji === emoji && reaction.mine);
}

/** What failed is shown where it failed. */
function ignore(): undefined {
  return undefined;
}
