/**
 * How far the reader has read.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { FloatingDay } from "./floating_day.ts";
import type { Identity, Memory } from "./memory.ts";
import { NewLine } from "./new_line.ts";
import type { OlderMessages } from "./older_messages.ts";
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
  /** Those before them. */
  readonly older: OlderMessages;
  /** How far the reader had read before. */
  readonly read: string | undefined;
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
      onJump: () => this.#jump(),
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

  /** The history is here: goes to where the reader was, or to what is new. */
  async arrive(): Promise<void> {
    const { memory, identity, older, read, scroller, viewport, timeline, signal } = this.#options;
    const owner = identity();
    const place = owner && memory.place(owner);
    if (read !== undefined && timeline.othersAfter(read).length > 0) await older.reach(read);
    if (signal.aborted) return;
    const news = read === undefined ? [] : timeline.othersAfter(read);
    if (news.length > 0) this.#draw(news[0].cursor, news.length);
    if (place) await older.goTo(place);
    // At once: until the next layout the view is at the top, as if older messages were due.
    else viewport.follow();
    if (!place && this.#line.isAbove) this.#showLine(this.#line.element);
    this.#isReady = true;
    scroller.classList.add("ready");
    viewport.checkStart();
    this.#update();
  }

  /**
   * Counts messages of others that have been shown.
   *
   * @param messages The messages.
   */
  came(messages: readonly StoredMessage[]): void {
    if (!this.#isReady || messages.length === 0) return;
    const { viewport, timeline } = this.#options;
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

  /** To the first new message, where that is below; else to the end. */
  #jump(): void {
    const { focus, scroller, viewport } = this.#options;
    focus();
    // Where all that is new fits into the view, the end shows the line as well.
    const isLong = this.#line.isBelow && this.#line.toEnd > scroller.clientHeight;
    if (isLong) this.#showLine(this.#line.element);
    else viewport.follow();
  }

  #update(): void {
    if (!this.#isReady) return;
    const { timeline, viewport } = this.#options;
    this.#place.noteRead();
    this.#line.update();
    const { read } = this.#place;
    const isAtEnd = viewport.isFollowing || read === undefined;
    this.#unseen.count = isAtEnd ? 0 : timeline.othersAfter(read).length;
  }
}
