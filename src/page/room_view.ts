/**
 * The page of a room.
 *
 * @module
 */

import type { ConnectionState, StoredMessage } from "../client/mod.ts";
import { Announcer } from "./announcer.ts";
import { askForInvitation } from "./closed_room.ts";
import { Composer } from "./composer.ts";
import { ConnectionLine } from "./connection_line.ts";
import { find, setText } from "./elements.ts";
import { FindBar } from "./find_bar.ts";
import type { Identity, Memory } from "./memory.ts";
import { LogPages } from "./log_pages.ts";
import { MentionList } from "./mention_list.ts";
import { MessageDesk } from "./message_desk.ts";
import { MessageFlow } from "./message_flow.ts";
import { MessageWindow } from "./message_window.ts";
import { Moderation } from "./moderation.ts";
import { Names } from "./names.ts";
import { People } from "./people.ts";
import { statePhrase } from "./phrases.ts";
import { Reading } from "./reading.ts";
import { RoomFeed } from "./room_feed.ts";
import { putOutPhrase } from "./sanction_phrases.ts";
import type { RoomViewOptions } from "./room_view_options.ts";
import { Standing } from "./standing.ts";
import { Timeline } from "./timeline.ts";
import { UnloadGuard } from "./unload_guard.ts";
import { UnsentList } from "./unsent_list.ts";
import { Viewport } from "./viewport.ts";

/** Messages that a newcomer gets at once: enough to fill a large screen. */
const HISTORY = 50;
/** The open room on the page. */
export class RoomView {
  readonly #options: RoomViewOptions;
  readonly #memory: Memory;
  readonly #chat: RoomFeed;
  readonly #desk: MessageDesk;
  readonly #timeline: Timeline;
  readonly #viewport: Viewport;
  readonly #window: MessageWindow;
  readonly #flow: MessageFlow;
  readonly #unsent: UnsentList;
  readonly #composer: Composer;
  readonly #standing: Standing;
  readonly #names: Names;
  readonly #reading: Reading;
  readonly #line: ConnectionLine;
  readonly #guard: UnloadGuard;
  readonly #ending = new AbortController();
  readonly #announcer = new Announcer(find("announcer", HTMLElement));
  readonly #scroller = find("scroller", HTMLElement);
  /** Whose words these are; with a token, unknown until the server says it. */
  #identity: Identity | undefined;
  /** The place in the log before the connection that is being made. */
  #cursorBefore: string | undefined;

  readonly #goTo = (cursor: string): Promise<boolean> =>
    this.#window.goTo({ cursor, offset: this.#scroller.clientHeight / 4 });

  /** @param options The room and its reader. */
  constructor(options: RoomViewOptions) {
    const { client, room, user, memory, site } = this.#options = options;
    this.#memory = memory;
    const { token } = memory;
    const { signal } = this.#ending;
    const chat = this.#chat = new RoomFeed(client, client.room(room, { history: HISTORY }));
    const names = this.#names = new Names(chat);
    const announce = (text: string) => this.#announcer.say(text);
    const moderation = new Moderation({ sanctions: chat.room.sanctions, names, announce });
    this.#desk = new MessageDesk({
      chat,
      names,
      moderate: moderation.person,
      linkOf: (cursor) => `${site.pageOf(room)}#at=${cursor}`,
      announce,
      timeline: () => this.#timeline,
      composer: () => this.#composer,
      scroller: this.#scroller,
      hold: (change) => this.#viewport.hold(change),
      goTo: this.#goTo,
    });
    const known = token === undefined ? user : memory.tokenUser;
    this.#timeline = new Timeline(known ?? "", this.#desk.bubbles);
    new People({
      feed: chat,
      names,
      onPerson: moderation.person,
      onSanctions: moderation.list,
      signal,
    });
    this.#viewport = new Viewport(this.#scroller, find("content", HTMLElement), {
      start: find("older", HTMLElement),
      end: find("newer", HTMLElement),
      hasNewer: () => this.#window?.hasNewer,
      onNearStart: () => void (this.#reading?.isReady && this.#window.loadOlder()),
      onNearEnd: () => void (this.#reading?.isReady && this.#window.loadNewer()),
      onFollowChange: (isFollowing) => this.#reading?.followed(isFollowing),
      onScroll: () => this.#reading?.scrolled(),
    });
    const pages = new LogPages(chat);
    this.#window = new MessageWindow({
      pages,
      timeline: this.#timeline,
      viewport: this.#viewport,
      room,
      focusNext: () => this.#scroller,
    });
    this.#flow = new MessageFlow({
      show: (messages) => this.#showMessages(messages),
      showGap: (isRestart) => this.#showGap(isRestart),
    });
    this.#reading = new Reading({
      ...options,
      signal,
      identity: () => this.#identity,
      scroller: this.#scroller,
      viewport: this.#viewport,
      timeline: this.#timeline,
      window: this.#window,
      focus: () => this.#composer.field.focus(),
    });
    this.#unsent = new UnsentList(find("unsent", HTMLElement), {
      send: (text, options) => chat.send(text, options),
      bubbles: this.#desk.bubbles,
      user: () => chat.user,
      keep: (unsent) => this.#identity && memory.keepUnsent(this.#identity, unsent),
      drop: (ref) => {
        if (this.#identity) memory.dropUnsent(this.#identity, ref);
        this.#guard.update();
      },
      announce,
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
      user: () => chat.user,
      lastOwn: () => this.#timeline.lastOwn,
      onTyping: (isTyping) => chat.room.typing(isTyping),
    });
    new MentionList(names);
    new FindBar({
      pages,
      timeline: this.#timeline,
      goTo: this.#goTo,
      focus: () => this.#composer.field.focus(),
      signal,
    });
    this.#standing = new Standing(chat, this.#composer, () => this.#scroller);
    this.#line = new ConnectionLine(
      () => this.reload(),
      () => client.reconnect(),
      () => memory.isLasting,
    );
    this.#guard = new UnloadGuard(() => {
      const isKept = this.#identity !== undefined && memory.isLasting;
      return this.#unsent.size > 0 || !isKept && this.#composer.draft.trim() !== "";
    });
    this.#listen();
    if (known !== undefined) this.#identify(known);
    this.#show();
    chat.start();
  }

  /** Closes the room on the page; what is unsent goes on being sent. */
  close(): void {
    this.#ending.abort();
    this.#chat.stop();
    this.#line.stop();
    this.#guard.lift();
  }

  /** Loads the page anew. What is kept is there again afterwards, so that nobody need be asked. */
  reload(): void {
    this.#liftGuard();
    location.reload();
  }

  #liftGuard(): void {
    if (this.#identity && this.#memory.isLasting) this.#guard.lift();
  }

  #show(): void {
    setText(find("room-name", HTMLElement), this.#options.room);
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
    // A page that comes back from the browser's cache has lost its connection long ago.
    const { signal } = this.#ending;
    addEventListener("pageshow", ({ persisted }) => persisted && this.reload(), { signal });
    const timer = setInterval(() => this.#timeline.refreshDays(), 60_000);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  #changed(state: ConnectionState): void {
    const { error } = this.#chat;
    this.#line.show(state, error);
    this.#unsent.isLive = state.status === "live";
    if (state.status === "connecting") {
      this.#cursorBefore = this.#chat.cursor;
      this.#flow.beginArrival();
    } else if (state.status !== "live") this.#flow.endArrival();
    if (state.status !== "closed") return this.#standing.show();
    const putOut = error && putOutPhrase(error);
    const why = putOut ? "" : ` ${statePhrase(state).long}`;
    this.#composer.disable(`You cannot write now.${why}`, () => find("reload", HTMLElement));
    if (!putOut) void askForInvitation(this.#options, () => this.#liftGuard());
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
    this.#flow.endArrival(this.#reading.isReady && !recovered ? { isRestart } : undefined);
    this.#flow.afterAll(() => void this.#arrived());
  }

  async #arrived(): Promise<void> {
    this.#unsent.judgeDoubtful();
    if (this.#reading.isReady) return;
    const { at } = this.#options;
    await this.#reading.arrive(at);
    if (at !== undefined) await this.#desk.open(at);
  }

  /**
   * Leads to a message.
   *
   * @param cursor Its cursor.
   */
  goTo(cursor: string): void {
    void this.#desk.open(cursor);
  }

  /** Knows from now on whose words these are, and finds those from before. */
  #identify(user: string): void {
    const identity = this.#identity = { room: this.#options.room, user };
    this.#unsent.keepAll();
    if (this.#composer.draft === "") this.#composer.draft = this.#memory.draft(identity);
    for (const unsent of this.#memory.unsent(identity)) this.#unsent.restore(unsent);
    this.#memory.watchUnsent(
      identity,
      (ref) => this.#unsent.settle(ref),
      this.#ending.signal,
    );
    this.#guard.update();
  }

  #showMessages(messages: readonly StoredMessage[]): void {
    if (this.#ending.signal.aborted) return;
    this.#names.note(messages);
    this.#window.take(messages);
    this.#desk.update();
    const isOwn = ({ user }: StoredMessage) => user === this.#chat.user;
    for (const { ref } of messages.filter(isOwn)) if (ref !== undefined) this.#unsent.settle(ref);
    this.#unsent.group();
    const others = messages.filter((message) => !isOwn(message));
    this.#reading.came(others);
    if (!this.#reading.isReady || others.length === 0) return;
    if (this.#chat.state.status === "live") this.#announcer.sayMessages(others);
  }

  #showGap(isRestart: boolean): void {
    if (isRestart) this.#window.restart();
    else if (!this.#window.hasNewer) this.#timeline.appendGap();
  }

  #say(text: string, replyTo: string | undefined): void {
    this.#reading.wrote();
    this.#unsent.add(text, replyTo);
    this.#guard.update();
    void this.#window.toNewest();
  }
}
