/**
 * The piece of a room's log that is shown.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { find } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import { nextFrame } from "./frame_task.ts";
import { LogEnd } from "./log_end.ts";
import type { LogPages } from "./log_pages.ts";
import type { Place } from "./memory.ts";
import { framesOf } from "./render_budget.ts";
import type { Timeline } from "./timeline.ts";
import type { Viewport } from "./viewport.ts";

/** Messages that are asked for at once: by scrolling, and on the way to a place. */
const PAGE = 50;
const LONG_PAGE = 100;
/** Pages on the way back to a place; what is further away is shown without what lies between. */
const PAGES_ON_THE_WAY = 3;
/** Messages that are shown at most, and how many are left then. */
const SHOWN_MAX = 300;
const SHOWN_AFTER = 200;

/** The options of {@linkcode MessageWindow}. */
export interface MessageWindowOptions {
  /** The log. */
  readonly pages: LogPages;
  /** The list that shows it. */
  readonly timeline: Timeline;
  /** The view, in which what comes and goes must not move anything. */
  readonly viewport: Viewport;
  /** The room's name. */
  readonly room: string;
  /** Gets the focus where what had it is gone. */
  readonly focusNext: () => HTMLElement | null;
}

/**
 * A bounded piece of the log without a gap, which grows at both ends as the reader scrolls, loses at
 * the other end what is too much, and can be anywhere: at the newest messages, or thousands before.
 */
export class MessageWindow {
  readonly #options: MessageWindowOptions;
  readonly #older: LogEnd;
  readonly #newer: LogEnd;
  #hasNewer = false;
  #isLoading = false;
  /** How often another piece took the place of the one before. */
  #moves = 0;

  /** @param options The log, and what shows it. */
  constructor(options: MessageWindowOptions) {
    this.#options = options;
    const { focusNext } = options;
    const endOf = (beyond: string) =>
      new LogEnd(find(beyond, HTMLElement), {
        beyond,
        focusNext,
        onRetry: () => options.viewport.checkEnds(),
      });
    this.#older = endOf("older");
    this.#newer = endOf("newer");
  }

  /** Whether newer messages than the last one that is shown are in the room. */
  get hasNewer(): boolean {
    return this.#hasNewer;
  }

  /** The cursor of the newest message, shown or not. */
  get newest(): string | undefined {
    return this.#options.pages.latest(1)[0]?.cursor;
  }

  /**
   * Gives the messages of others after a place.
   *
   * @param cursor The place.
   * @returns Those that are shown and those that are not, oldest first.
   */
  othersAfter(cursor: string): StoredMessage[] {
    const { pages, timeline } = this.#options;
    return this.#hasNewer ? pages.othersAfter(cursor) : timeline.othersAfter(cursor);
  }

  /**
   * Shows messages that have just come, where the end of the log is shown.
   *
   * @param messages The messages, oldest first; those that are shown already are passed over.
   */
  take(messages: readonly StoredMessage[]): void {
    const { timeline, viewport } = this.#options;
    // The reader is further up, and there is no end of it.
    if (!viewport.isFollowing && timeline.size >= SHOWN_MAX) this.#leaveEnd();
    if (this.#hasNewer) return;
    const { last = "" } = timeline;
    for (const message of messages) if (message.cursor > last) timeline.append(message);
    if (viewport.isFollowing) this.#shorten();
  }

  /** Loads what is due at the beginning, unless something is on its way or failed. */
  async loadOlder(): Promise<void> {
    await this.#loadWhenDue(this.#older);
  }

  /** Loads what is due at the end. */
  async loadNewer(): Promise<void> {
    if (this.#hasNewer) await this.#loadWhenDue(this.#newer);
  }

  /** Begins anew with another log: what is still on its way belongs to the one before. */
  restart(): void {
    this.#move();
    this.#options.timeline.restart();
    this.#older.done();
    this.#newer.done();
    this.#hasNewer = false;
  }

  /**
   * Goes to a message, however far away it is.
   *
   * @param place The message, and where in the view it is to stand.
   * @returns Whether there is one.
   */
  async goTo({ cursor, offset }: Place): Promise<boolean> {
    const { pages, timeline, viewport } = this.#options;
    if (!timeline.find(cursor)) {
      const isThere = await pages.find(cursor).catch(() => undefined);
      if (isThere) await this.reach(cursor);
    }
    const element = timeline.find(cursor);
    if (element) viewport.show(element, offset);
    return element !== undefined;
  }

  /**
   * Loads as far as a place, or shows what is around it where that is too far.
   *
   * @param cursor The place.
   */
  async reach(cursor: string): Promise<void> {
    const { timeline } = this.#options;
    const isAbove = () => (timeline.first ?? "") > cursor;
    const isBelow = this.#hasNewer && (timeline.last ?? "") < cursor;
    for (let page = 0; page < PAGES_ON_THE_WAY && isAbove(); page++) {
      if (!await this.#load(this.#older, LONG_PAGE)) return;
    }
    if (isAbove() || isBelow) await this.#open(cursor);
  }

  /** Shows the newest messages, and follows them. */
  async toNewest(): Promise<void> {
    if (!this.#hasNewer) return this.#options.viewport.follow();
    const { pages, timeline, viewport } = this.#options;
    const move = this.#move();
    this.#change(() => timeline.clear());
    this.#hasNewer = false;
    this.#newer.done();
    this.#older.done();
    const isShown = this.#prepend(pages.latest(PAGE), move);
    viewport.follow();
    await isShown;
    viewport.checkEnds();
  }

  /** Shows what is around a place, and nothing else. */
  async #open(cursor: string): Promise<void> {
    const { pages, timeline, viewport } = this.#options;
    const move = this.#move();
    this.#isLoading = true;
    this.#older.begin();
    try {
      const [message, before, after] = await Promise.all([
        pages.find(cursor),
        pages.before(cursor, PAGE),
        pages.after(cursor, PAGE),
      ]);
      if (move !== this.#moves) return;
      this.#change(() => timeline.clear());
      this.#leaveEnd();
      viewport.leaveEnd();
      await this.#append(message ? [message, ...after] : after, move);
      await this.#prepend(before, move);
      if (move === this.#moves) this.#older.done();
    } catch (error) {
      if (move === this.#moves) this.#older.fail(error);
    } finally {
      if (move === this.#moves) this.#isLoading = false;
    }
    this.#join();
  }

  async #loadWhenDue(end: LogEnd): Promise<void> {
    const isDue = end.isDue && !this.#isLoading;
    if (isDue && await this.#load(end, PAGE)) this.#options.viewport.checkEnds();
  }

  /** Loads a page at one end; false where there is none. */
  async #load(end: LogEnd, limit: number): Promise<boolean> {
    const { pages, timeline, viewport, room } = this.#options;
    const move = this.#moves;
    this.#isLoading = true;
    end.begin();
    try {
      const isOlder = end === this.#older;
      const { first, last } = timeline;
      const messages = isOlder
        ? await pages.before(first, limit)
        : await pages.after(last ?? "", limit);
      if (move !== this.#moves) return false;
      // Another page was quicker, or what these stand beside is no longer shown.
      const isSame = isOlder ? first === timeline.first : last === timeline.last;
      if (!isSame) {
        end.done();
        return true;
      }
      await (isOlder ? this.#prepend(messages, move) : this.#append(messages, move));
      if (move !== this.#moves) return false;
      const isMore = messages.length > 0;
      const text = isMore || !isOlder ? undefined : `This is where #${room} begins.`;
      viewport.hold(() => end.done(text));
      if (!isOlder) this.#join(!isMore);
      return isMore;
    } catch (error) {
      if (move === this.#moves) end.fail(error);
      return false;
    } finally {
      if (move === this.#moves) this.#isLoading = false;
    }
  }

  /** Adds older messages, newest first, some in each animation frame. */
  async #prepend(messages: readonly StoredMessage[], move: number): Promise<void> {
    const { timeline } = this.#options;
    for (const some of framesOf(messages.toReversed())) {
      this.#change(() => {
        timeline.prepend(some.toReversed());
        if (timeline.size <= SHOWN_MAX) return;
        timeline.dropLast(timeline.size - SHOWN_AFTER);
        this.#leaveEnd();
      });
      const { first } = timeline;
      if (first !== messages[0].cursor) await nextFrame();
      // What was shown meanwhile may have taken away what these stand before.
      if (move !== this.#moves || timeline.first !== first) return;
    }
  }

  /** Adds newer messages, oldest first, some in each animation frame. */
  async #append(messages: readonly StoredMessage[], move: number): Promise<void> {
    const { timeline } = this.#options;
    for (const some of framesOf(messages)) {
      for (const message of some) timeline.append(message);
      this.#shorten();
      const { last } = timeline;
      if (last !== messages.at(-1)?.cursor) await nextFrame();
      if (move !== this.#moves || timeline.last !== last) return;
    }
  }

  /** Takes the oldest messages away where there are too many. */
  #shorten(): void {
    const { timeline } = this.#options;
    if (timeline.size <= SHOWN_MAX) return;
    this.#change(() => timeline.dropFirst(timeline.size - SHOWN_AFTER));
    this.#older.done();
  }

  /** From here on what comes is shown at once, where nothing is between it and what is shown. */
  #join(isEnd = false): void {
    const { pages, timeline, viewport } = this.#options;
    if (!this.#hasNewer) return;
    if (!isEnd && pages.keptAfter(timeline.last ?? "")?.length !== 0) return;
    this.#hasNewer = false;
    this.#newer.done();
    viewport.checkFollowing();
  }

  #leaveEnd(): void {
    this.#hasNewer = true;
    this.#newer.done();
  }

  /** What is on its way no longer fits; returns the name of the piece that comes. */
  #move(): number {
    this.#isLoading = false;
    return ++this.#moves;
  }

  #change(change: () => void): void {
    const { focusNext, viewport } = this.#options;
    viewport.hold(() => withoutFocusLoss(find("days", HTMLElement), change, focusNext));
  }
}
