/**
 * A room: the connection and everything that shows it.
 *
 * @module
 */

import { type ChatConnection, connect } from "../client/mod.ts";
import type { Message } from "../protocol/mod.ts";
import { Announcer } from "./announcer.ts";
import { Composer } from "./composer.ts";
import { ConnectionLine } from "./connection_line.ts";
import { find, setText } from "./elements.ts";
import type { Memory } from "./memory.ts";
import { OlderMessages } from "./older_messages.ts";
import { People } from "./people.ts";
import { newMessagesPhrase } from "./phrases.ts";
import { Timeline } from "./timeline.ts";
import { UnsentList } from "./unsent_list.ts";
import { Viewport } from "./viewport.ts";

/** Messages that a newcomer gets at once: enough to fill a large screen. */
const HISTORY = 50;
/** Characters of a message that a screen reader says by itself. */
const ANNOUNCED = 200;

/** Which room, and who reads it. */
export interface RoomViewOptions {
  /** The room's name. */
  readonly room: string;
  /** The reader's name; with a token, the server knows it. */
  readonly user: string;
  /** What outlasts a reload. */
  readonly memory: Memory;
}

/** A room on the page. One page shows one room. */
export class RoomView {
  readonly #room: string;
  readonly #memory: Memory;
  readonly #chat: ChatConnection;
  readonly #timeline: Timeline;
  readonly #viewport: Viewport;
  readonly #older: OlderMessages;
  readonly #unsent: UnsentList;
  readonly #composer: Composer;
  readonly #people = new People();
  readonly #line = new ConnectionLine();
  readonly #announcer = new Announcer(find("announcer", HTMLElement));
  readonly #jump = find("jump", HTMLButtonElement);
  /** Whether the history is here, and the reader where they were. */
  #isReady = false;
  #unseen = 0;
  #unseenInTitle = 0;

  /** @param options Which room, and who reads it. */
  constructor({ room, user, memory }: RoomViewOptions) {
    this.#room = room;
    this.#memory = memory;
    const { token } = memory;
    const who = token === undefined ? { user } : { token };
    this.#chat = connect(location.origin, { room, ...who, history: HISTORY });
    this.#timeline = new Timeline(find("days", HTMLElement), user);
    this.#viewport = new Viewport(find("scroller", HTMLElement), find("content", HTMLElement), {
      onNearTop: () => void (this.#isReady && this.#older.loadWhenDue()),
      onFollowChange: () => this.#showJump(),
      onScroll: () => this.#savePlace(),
    });
    this.#older = new OlderMessages(find("older", HTMLElement), {
      load: async (limit) => {
        const messages = this.#timeline.takeBack(limit);
        return messages.length > 0 ? messages : await this.#chat.loadOlder(limit);
      },
      timeline: this.#timeline,
      viewport: this.#viewport,
      room,
    });
    this.#unsent = new UnsentList(find("unsent", HTMLElement), {
      send: (text, options) => this.#chat.send(text, options),
      save: (unsent) => memory.setUnsent(room, user, unsent),
      announce: (text) => this.#announcer.say(text),
    });
    this.#composer = new Composer({
      draft: memory.draft(room),
      save: (draft) => memory.setDraft(room, draft),
      send: (text) => this.#say(text),
      onTyping: (isTyping) => this.#chat.typing(isTyping),
    });
    this.#listen();
    for (const unsent of memory.unsent(room, user)) this.#unsent.add(unsent);
    this.#show();
  }

  #show(): void {
    setText(find("room-name", HTMLElement), this.#room);
    this.#line.show(this.#chat.state);
    this.#showTitle();
    find("room", HTMLElement).hidden = false;
    // On a phone the focus would bring up the keyboard over half of the messages.
    if (matchMedia("(pointer: fine)").matches) this.#composer.focus();
  }

  #listen(): void {
    const chat = this.#chat;
    chat.addEventListener("state", ({ detail }) => {
      this.#line.show(detail);
      this.#people.show(chat);
    });
    chat.addEventListener("message", ({ detail }) => this.#take(detail));
    chat.addEventListener("joined", ({ detail }) => void this.#joined(detail.recovered));
    for (const type of ["joined", "presence", "typing"] as const) {
      chat.addEventListener(type, () => this.#people.show(chat));
    }
    this.#jump.addEventListener("click", () => {
      this.#viewport.follow("smooth");
      this.#composer.focus();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#unseenInTitle = 0;
      this.#showTitle();
    });
    // A page that comes back from the browser's cache has lost its connection long ago.
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    setInterval(() => this.#timeline.refreshDays(), 60_000);
  }

  async #joined(recovered: boolean): Promise<void> {
    const { user, limits } = this.#chat;
    if (user !== undefined) this.#timeline.user = user;
    if (limits) this.#composer.limit = limits.text_max_bytes;
    if (this.#isReady) {
      if (!recovered) this.#timeline.appendGap();
      return;
    }
    const place = this.#memory.place(this.#room);
    if (place) await this.#older.goTo(place);
    // At once: until the next layout the view is at the top, as if older messages were due.
    else this.#viewport.follow();
    this.#isReady = true;
    this.#viewport.checkTop();
  }

  #take(message: Message): void {
    this.#timeline.append(message);
    if (this.#timeline.isLong && this.#viewport.isFollowing) {
      this.#viewport.hold(() => this.#timeline.shorten());
      this.#older.reopen();
    }
    const isOwn = message.user === this.#chat.user;
    if (isOwn && message.ref !== undefined) this.#unsent.settle(message.ref);
    if (isOwn || !this.#isReady) return;
    if (!this.#viewport.isFollowing) this.#unseen++;
    if (document.visibilityState === "hidden") this.#unseenInTitle++;
    this.#showJump();
    this.#showTitle();
    if (this.#chat.state.status !== "live") return;
    const { user, text } = message;
    this.#announcer.say(`${user}: ${text.slice(0, ANNOUNCED)}`);
  }

  #say(text: string): void {
    this.#unsent.add({ ref: createRef(), text });
    this.#viewport.follow();
  }

  #showJump(): void {
    if (this.#viewport.isFollowing) this.#unseen = 0;
    this.#jump.hidden = this.#viewport.isFollowing;
    this.#jump.classList.toggle("unseen", this.#unseen > 0);
    setText(find("jump-text", HTMLElement), newMessagesPhrase(this.#unseen));
  }

  #showTitle(): void {
    const count = this.#unseenInTitle > 0 ? `(${this.#unseenInTitle}) ` : "";
    document.title = `${count}#${this.#room} · Hubbub`;
  }

  #savePlace(): void {
    if (!this.#isReady) return;
    const { isFollowing, top } = this.#viewport;
    const first = isFollowing ? undefined : this.#timeline.firstBelow(top);
    const cursor = first?.dataset.cursor;
    const place = first && cursor !== undefined
      ? { cursor, offset: first.getBoundingClientRect().top - top }
      : undefined;
    this.#memory.setPlace(this.#room, place);
  }
}

/** Makes a name that no other message has. Not `randomUUID`: that needs TLS or localhost. */
function createRef(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
