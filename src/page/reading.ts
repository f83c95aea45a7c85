/**
 * How far the reader has read.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { FloatingDay } from "./floating_day.ts";
import type { Identity, Memory } from "./memory.ts";
import type { MessageWindow } from "./message_window.ts";
import { NewLine } from "./new_line.ts";
import { ReadingPlace } from "./reading_place.ts";
import type { Timeline } from "./timeline.ts";
import { Unseen } from "./unseen.ts";
import type { Viewport } from "./viewport.ts";

/** The options of {@linkcode Reading}. */
export interface ReadingOptions {
  /** Ends it with the room. */
  readonly signal: AbortSignal;
  /** What outlasts the page. */
  readonly memory: Memory;
  /** Gives whose room it is, once that is known. */
  readonly identity: () => Identity | undefined;
  /** The element that scrolls. */
  readonly scroller: HTMLElement;
  /** The part of the messages that is in view. */
  readonly viewport: Viewport;
  /** The messages. */
  readonly timeline: Timeline;
  /** The piece of the log that they are. */
  readonly window: MessageWindow;
  /** Gives how far the reader has read, as far as that is known. */
  readonly read: () => string | undefined;
  /** Called with the last message that the reader has seen, each time there is another one. */
  readonly onRead: (cursor: string) => void;
  /** Moves the focus to where one writes. */
  readonly focus: () => void;
}

/** The place in view, the line before what is new, and the count of what is unread below. */
export class Reading {
  readonly #options: ReadingOptions;
  readonly #place: ReadingPlace;
  readonly #line: NewLine;
  readonly #unseen: Unseen;
  readonly #day = new FloatingDay();
  #isReady = false;

  /** @param options The messages, and what is in view of them. */
  constructor(options: ReadingOptions) {
    const { identity, scroller, signal, viewport } = this.#options = options;
    this.#place = new ReadingPlace({
      ...options,
      identity: () => this.#isReady ? identity() : undefined,
    });
    this.#line = new NewLine({ scroller, onJump: (line) => this.#showLine(line) });
    this.#unseen = new Unseen({
      onJump: () => void this.#jump(),
      focusNext: () => scroller,
    });
    document.addEventListener("visibilitychange", () => this.#update(), { signal });
    signal.addEventListener("abort", () => this.#isReady = false);
    this.#unseen.isFollowing = viewport.isFollowing;
  }

  /** Whether the history is here, and the reader where they were. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** The reader came to the end, or left it. */
  followed(isFollowing: boolean): void {
    this.#unseen.isFollowing = isFollowing;
    this.#update();
  }

  /** The reader has scrolled. */
  scrolled(): void {
    const { viewport, timeline } = this.#options;
    this.#place.save();
    this.#update();
    this.#day.scrolled(timeline.firstBelow(viewport.top), viewport.top);
  }

  /**
   * The history is here: goes to a message, to where the reader was, or to what is new.
   *
   * @param at The message, where the reader asked for one.
   */
  async arrive(at?: string): Promise<void> {
    const { memory, identity, window, scroller, viewport, timeline, signal } = this.#options;
    const asked = at === undefined ? undefined : { cursor: at, offset: scroller.clientHeight / 4 };
    const owner = identity();
    const read = this.#options.read();
    // What is there when one comes first is not new.
    this.#place.begin(read ?? window.newest);
    const place = asked ?? (owner && memory.place(owner));
    // At once: until the next layout the view is at the top, as if older messages were due.
    viewport.follow();
    if (!place) await this.#goToNews(read);
    else if (!await window.goTo(place) && !at) await this.#goToNews(read);
    else if (read !== undefined && (timeline.first ?? "") <= read) this.#drawNews(read);
    if (signal.aborted) return;
    this.#isReady = true;
    scroller.classList.add("ready");
    viewport.checkEnds();
    this.#update();
  }

  /**
   * Counts messages of others that have been shown.
   *
   * @param messages The messages.
   */
  came(messages: readonly StoredMessage[]): void {
    if (!this.#isReady || messages.length === 0) return;
    const { viewport, timeline, window } = this.#options;
    if (window.hasNewer) return this.#update();
    const isSeen = viewport.isFollowing && document.visibilityState === "visible";
    const { read } = this.#place;
    const unread = read === undefined ? messages : timeline.othersAfter(read);
    // One line at a time: it stays until all that is below it was seen, however much comes.
    const isFirst = unread[0]?.cursor === messages[0].cursor;
    if (!isSeen && (isFirst || this.#line.cursor === undefined) && unread.length > 0) {
      this.#draw(unread[0].cursor, unread.length);
    }
    this.#update();
  }

  /** The reader has written something, and so has read what is above. */
  wrote(): void {
    this.#options.viewport.hold(() => this.#line.remove());
  }

  #draw(cursor: string, count: number): void {
    const { timeline, viewport } = this.#options;
    const item = timeline.find(cursor);
    if (item) viewport.hold(() => this.#line.show(item, count));
  }

  #showLine(line: HTMLElement): void {
    const { scroller, viewport } = this.#options;
    viewport.show(line, scroller.clientHeight / 6);
    this.#update();
  }

  /** To the first new message, where the reader was not led to it before; else to the end. */
  async #jump(): Promise<void> {
    const { focus, scroller, window } = this.#options;
    focus();
    // Where all that is new fits into the view, the end shows the line as well.
    const isLong = this.#line.isBelow && this.#line.toEnd > scroller.clientHeight;
    if (isLong) return this.#showLine(this.#line.element);
    const isLed = !window.hasNewer || this.#line.cursor !== undefined;
    await window.toNewest();
    if (!isLed) await this.#goToNews(this.#place.read);
    this.#update();
  }

  /** To where the new begins, however far back that is; to the end where nothing is new. */
  async #goToNews(read: string | undefined): Promise<void> {
    const { window, signal } = this.#options;
    if (read === undefined || window.othersAfter(read).length === 0) return;
    await window.reach(read);
    if (signal.aborted) return;
    this.#drawNews(read);
    if (this.#line.isAbove || window.hasNewer) this.#showLine(this.#line.element);
  }

  #drawNews(read: string): void {
    const { timeline, window } = this.#options;
    const [first] = timeline.othersAfter(read);
    if (first) this.#draw(first.cursor, window.othersAfter(read).length);
  }

  #update(): void {
    if (!this.#isReady) return;
    const { window, viewport } = this.#options;
    this.#place.noteRead();
    this.#line.update();
    const { read } = this.#place;
    const isAtEnd = viewport.isFollowing || read === undefined;
    this.#unseen.count = isAtEnd ? 0 : window.othersAfter(read).length;
  }
}
