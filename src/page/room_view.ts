/**
 * The page of a room.
 *
 * @module
 */

import type { ChatClient, ConnectionState, StoredMessage } from "../client/mod.ts";
import { Announcer } from "./announcer.ts";
import { Composer } from "./composer.ts";
import { ConnectionLine } from "./connection_line.ts";
import { find, setText } from "./elements.ts";
import { InvitationForm } from "./invitation_form.ts";
import type { Identity, Memory } from "./memory.ts";
import { MessageDesk } from "./message_desk.ts";
import { MessageFlow } from "./message_flow.ts";
import { OlderMessages } from "./older_messages.ts";
import { People } from "./people.ts";
import { statePhrase } from "./phrases.ts";
import { RoomFeed } from "./room_feed.ts";
import type { Site } from "./site.ts";
import { Timeline } from "./timeline.ts";
import { tokenVerdict } from "./token_verdict.ts";
import { UnloadGuard } from "./unload_guard.ts";
import { Unseen } from "./unseen.ts";
import { UnsentList } from "./unsent_list.ts";
import { Viewport } from "./viewport.ts";

/** Messages that a newcomer gets at once: enough to fill a large screen. */
const HISTORY = 50;
/** The options of {@linkcode RoomView}. */
export interface RoomViewOptions {
  /** The server. */
  readonly site: Site;
  /** The connection. */
  readonly client: ChatClient;
  /** The room's name. */
  readonly room: string;
  /** The reader's name; with a token, the server knows it. */
  readonly user: string;
  /** What outlasts the page. */
  readonly memory: Memory;
}

/** A room on the page. One page shows one room. */
export class RoomView {
  readonly #site: Site;
  readonly #room: string;
  readonly #memory: Memory;
  readonly #chat: RoomFeed;
  readonly #desk: MessageDesk;
  readonly #timeline: Timeline;
  readonly #viewport: Viewport;
  readonly #older: OlderMessages;
  readonly #flow: MessageFlow;
  readonly #unsent: UnsentList;
  readonly #unseen: Unseen;
  readonly #composer: Composer;
  readonly #people: People;
  readonly #line: ConnectionLine;
  readonly #guard: UnloadGuard;
  readonly #announcer = new Announcer(find("announcer", HTMLElement));
  readonly #scroller = find("scroller", HTMLElement);
  /** Whose words these are; with a token, unknown until the server says it. */
  #identity: Identity | undefined;
  /** Whether the history is here, and the reader where they were. */
  #isReady = false;
  /** The place in the log before the connection that is being made. */
  #cursorBefore: string | undefined;
  #lastWrittenAt = 0;

  /** @param options The room and its reader. */
  constructor({ site, client, room, user, memory }: RoomViewOptions) {
    this.#site = site;
    this.#room = room;
    this.#memory = memory;
    const { token } = memory;
    const chat = this.#chat = new RoomFeed(client, client.room(room, { history: HISTORY }));
    this.#desk = new MessageDesk({
      chat,
      timeline: () => this.#timeline,
      composer: () => this.#composer,
      scroller: this.#scroller,
      hold: (change) => this.#viewport.hold(change),
      goTo: (cursor) => this.#older.goTo({ cursor, offset: this.#scroller.clientHeight / 4 }),
      announce: (text) => this.#announcer.say(text),
    });
    const reader = token === undefined ? user : memory.tokenUser ?? "";
    this.#timeline = new Timeline(reader, this.#desk.bubbles);
    this.#people = new People(() => {
      const { user, state, snapshot: { users, userCount, typing, names } } = chat;
      const isLive = state.status === "live";
      return { user, users, userCount, typingUsers: typing, names, isLive };
    });
    this.#viewport = new Viewport(this.#scroller, find("content", HTMLElement), {
      start: find("older", HTMLElement),
      onNearStart: () => void (this.#isReady && this.#older.loadWhenDue()),
      onFollowChange: (isFollowing) => this.#unseen.isFollowing = isFollowing,
      onScroll: () => this.#savePlace(),
    });
    this.#older = new OlderMessages(find("older", HTMLElement), {
      load: async (limit) => {
        const messages = this.#timeline.takeBack(limit);
        return messages.length > 0 ? messages : await chat.room.loadOlder(limit);
      },
      timeline: this.#timeline,
      viewport: this.#viewport,
      room,
      focusNext: () => this.#scroller,
    });
    this.#flow = new MessageFlow({
      show: (messages) => this.#showMessages(messages),
      showGap: (isRestart) => this.#showGap(isRestart),
    });
    this.#unseen = new Unseen({
      room,
      onJump: () => this.#jump(),
      focusNext: () => this.#scroller,
    });
    this.#unsent = new UnsentList(find("unsent", HTMLElement), {
      send: (text, options) => chat.send(text, options),
      quote: this.#desk.bubbles.quote,
      keep: (unsent) => this.#identity && memory.keepUnsent(this.#identity, unsent),
      drop: (ref) => {
        if (this.#identity) memory.dropUnsent(this.#identity, ref);
        this.#guard.update();
      },
      announce: (text) => this.#announcer.say(text),
      // The stored message is shown in the same frame, and before.
      onStored: (ref) => this.#flow.afterAll(() => this.#unsent.settle(ref)),
      focusNext: () =>
        document.querySelector<HTMLElement>("#unsent button") ?? this.#composer.field,
    });
    this.#composer = new Composer({
      save: (draft) => {
        if (this.#identity) memory.setDraft(this.#identity, draft);
        this.#guard.update();
      },
      send: (text, replyTo) => this.#say(text, replyTo),
      edit: (message, text) => void chat.room.edit(message, { text }).catch(() => {}),
      lastOwn: () => this.#timeline.lastOwn,
      onTyping: (isTyping) => chat.room.typing(isTyping),
    });
    this.#line = new ConnectionLine(() => this.reload(), () => memory.isLasting);
    this.#guard = new UnloadGuard(() => {
      const isKept = this.#identity !== undefined && memory.isLasting;
      return this.#unsent.size > 0 || !isKept && this.#composer.draft.trim() !== "";
    });
    this.#listen();
    const known = token === undefined ? user : memory.tokenUser;
    if (known !== undefined) this.#identify(known);
    this.#show();
    chat.start();
  }

  /** Loads the page anew. What is kept is there again afterwards, so that nobody need be asked. */
  reload(): void {
    if (this.#identity && this.#memory.isLasting) this.#guard.lift();
    location.reload();
  }

  #show(): void {
    setText(find("room-name", HTMLElement), this.#room);
    this.#line.show(this.#chat.state);
    find("room", HTMLElement).hidden = false;
    // On a phone the focus would bring up the keyboard over half of the messages.
    if (matchMedia("(pointer: fine)").matches) this.#composer.field.focus();
    else this.#scroller.focus();
  }

  #listen(): void {
    const chat = this.#chat;
    chat.addEventListener("state", ({ detail }) => this.#changed(detail));
    chat.addEventListener("message", ({ detail }) => this.#flow.add(detail));
    chat.addEventListener("joined", ({ detail }) => this.#joined(detail));
    chat.addEventListener("users", () => this.#people.update());
    // A page that comes back from the browser's cache has lost its connection long ago.
    addEventListener("pageshow", ({ persisted }) => persisted && this.reload());
    setInterval(() => this.#timeline.refreshDays(), 60_000);
  }

  #changed(state: ConnectionState): void {
    this.#line.show(state);
    this.#people.update();
    this.#unsent.isLive = state.status === "live";
    if (state.status === "connecting") {
      this.#cursorBefore = this.#chat.cursor;
      this.#flow.beginArrival();
    } else if (state.status !== "live") this.#flow.endArrival();
    if (state.status !== "closed") return;
    const next = () => find("reload", HTMLElement);
    this.#composer.disable(`You cannot write now. ${statePhrase(state).long}`, next);
    void this.#askForInvitation();
  }

  #joined({ cursor, recovered }: { readonly cursor: string; readonly recovered: boolean }): void {
    const { user, limits } = this.#chat;
    if (limits) this.#composer.limit = limits.text_max_bytes;
    this.#timeline.user = user;
    if (this.#memory.token !== undefined) this.#memory.tokenUser = user;
    if (!this.#identity) this.#identify(user);
    else if (this.#memory.token !== undefined && this.#identity.user !== user) this.reload();
    const before = this.#cursorBefore;
    // A log that ends before the place where one was is another log.
    const isRestart = before !== undefined && cursor < before;
    this.#flow.endArrival(this.#isReady && !recovered ? { isRestart } : undefined);
    this.#flow.afterAll(() => void this.#arrived());
  }

  async #arrived(): Promise<void> {
    this.#unsent.judgeDoubtful();
    if (this.#isReady) return;
    const place = this.#identity && this.#memory.place(this.#identity);
    if (place) await this.#older.goTo(place);
    // At once: until the next layout the view is at the top, as if older messages were due.
    else this.#viewport.follow();
    this.#isReady = true;
    this.#viewport.checkStart();
  }

  /** Knows from now on whose words these are, and finds those from before. */
  #identify(user: string): void {
    const identity = this.#identity = { room: this.#room, user };
    this.#unsent.keepAll();
    if (this.#composer.draft === "") this.#composer.draft = this.#memory.draft(identity);
    for (const unsent of this.#memory.unsent(identity)) this.#unsent.restore(unsent);
    this.#memory.watchUnsent(identity, (ref) => this.#unsent.settle(ref));
    this.#guard.update();
  }

  #showMessages(messages: readonly StoredMessage[]): void {
    for (const message of messages) this.#timeline.append(message);
    this.#desk.update();
    if (this.#timeline.isLong && this.#viewport.isFollowing) {
      this.#viewport.hold(() => this.#timeline.shorten());
      this.#older.reopen();
    }
    const isOwn = ({ user }: StoredMessage) => user === this.#chat.user;
    for (const { ref } of messages.filter(isOwn)) if (ref !== undefined) this.#unsent.settle(ref);
    const others = messages.filter((message) => !isOwn(message));
    if (!this.#isReady || others.length === 0) return;
    this.#unseen.add(others.length);
    if (this.#chat.state.status === "live") this.#announcer.sayMessages(others);
  }

  /** The field for writing; where it is off, the messages. */
  get #writing(): HTMLElement {
    return this.#composer.field.matches(":disabled") ? this.#scroller : this.#composer.field;
  }

  #showGap(isRestart: boolean): void {
    if (!isRestart) return this.#timeline.appendGap();
    this.#timeline.restart();
    this.#older.restart();
  }

  #say(text: string, replyTo: string | undefined): void {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    // Not `randomUUID`, which needs TLS or localhost.
    const ref = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const writtenAt = this.#lastWrittenAt = Math.max(Date.now(), this.#lastWrittenAt + 1);
    this.#unsent.add({ ref, text, replyTo, writtenAt });
    this.#guard.update();
    this.#viewport.follow();
  }

  #jump(): void {
    this.#composer.field.focus();
    this.#viewport.follow();
  }

  #savePlace(): void {
    if (!this.#isReady || !this.#identity) return;
    const { isFollowing, top } = this.#viewport;
    const first = isFollowing ? undefined : this.#timeline.firstBelow(top);
    const cursor = first?.dataset.cursor;
    const place = first && cursor !== undefined
      ? { cursor, offset: first.getBoundingClientRect().top - top }
      : undefined;
    this.#memory.setPlace(this.#identity, place);
  }

  /** Asks for another invitation where it is for want of one that the reader is not let in. */
  async #askForInvitation(): Promise<void> {
    const { token } = this.#memory;
    const verdict = await tokenVerdict(
      this.#site.endpointOf(this.#room, "/messages?limit=1"),
      token,
    );
    if (verdict === "dead" || verdict === "needless") this.#memory.token = undefined;
    if (verdict !== "dead" && verdict !== "forbidden") return;
    this.#line.hideReload();
    new InvitationForm(({ token, room = this.#room }) => {
      this.#memory.token = token;
      if (this.#identity && this.#memory.isLasting) this.#guard.lift();
      location.assign(`${this.#site.pageOf(room)}#token=${encodeURIComponent(token)}`);
    }).open();
  }
}
