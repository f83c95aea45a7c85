/**
 * The messages before those that are shown.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { create, createButton, setText } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import { nextFrame } from "./frame_task.ts";
import type { Place } from "./memory.ts";
import { RenderBudget } from "./render_budget.ts";
import type { Timeline } from "./timeline.ts";
import type { Viewport } from "./viewport.ts";

/** Messages that are asked for at once: by scrolling, and on the way back to a place. */
const PAGE = 50;
const LONG_PAGE = 100;
/** Pages after which the way back to a place is too long. */
const PAGES_TO_PLACE = 30;
/** Pages after which the way back to the first new message is too long. */
const PAGES_TO_NEW = 3;

/** The options of {@linkcode OlderMessages}. */
export interface OlderMessagesOptions {
  /** Reads the messages before the oldest that was read; none at the beginning. */
  readonly load: (limit: number) => Promise<StoredMessage[]>;
  /** The list that takes them in. */
  readonly timeline: Timeline;
  /** The view, in which they must not move anything. */
  readonly viewport: Viewport;
  /** The room's name. */
  readonly room: string;
  /** Gets the focus where the button that had it is gone. */
  readonly focusNext: () => HTMLElement | null;
}

/** Loads older messages when they are due, and says so in a line above them. */
export class OlderMessages {
  readonly #line: HTMLElement;
  readonly #options: OlderMessagesOptions;
  #status: "idle" | "loading" | "failed" | "complete" = "idle";
  /** How often another log took the place of the one before. */
  #restarts = 0;

  /**
   * @param line The element above the oldest message.
   * @param options How to load and show them.
   */
  constructor(line: HTMLElement, options: OlderMessagesOptions) {
    this.#line = line;
    this.#options = options;
  }

  /** Loads a page, unless one is on its way, the last try failed, or there are no more. */
  async loadWhenDue(): Promise<void> {
    if (this.#status === "idle" && await this.#load(PAGE)) this.#options.viewport.checkStart();
  }

  /** Loads again when it is due, also where the beginning was reached. */
  reopen(): void {
    if (this.#status !== "complete") return;
    this.#status = "idle";
    this.#say("");
  }

  /** Begins anew with another log: what is still on its way belongs to the one before. */
  restart(): void {
    this.#restarts++;
    this.#status = "idle";
    this.#say("");
  }

  /**
   * Goes back to a place, however many pages that takes.
   *
   * @param place The place.
   */
  async goTo(place: Place): Promise<void> {
    const { timeline, viewport } = this.#options;
    for (let page = 0; page < PAGES_TO_PLACE && !timeline.find(place.cursor); page++) {
      if (!await this.#load(LONG_PAGE)) break;
    }
    const element = timeline.find(place.cursor);
    if (element) viewport.show(element, place.offset);
  }

  /**
   * Loads as far back as a message, within a few pages.
   *
   * @param cursor Its place.
   */
  async reach(cursor: string): Promise<void> {
    const { timeline } = this.#options;
    for (let page = 0; page < PAGES_TO_NEW && (timeline.first ?? "") > cursor; page++) {
      if (!await this.#load(LONG_PAGE)) return;
    }
  }

  /** Loads a page; false where there is none. */
  async #load(limit: number): Promise<boolean> {
    const { load, timeline, viewport, room } = this.#options;
    const restarts = this.#restarts;
    this.#status = "loading";
    this.#say("Loading older messages…");
    try {
      const messages = await load(limit);
      if (restarts !== this.#restarts) return false;
      // Newest first, some in each animation frame.
      for (let end = messages.length; end > 0;) {
        const budget = new RenderBudget();
        let start = end;
        while (start > 0 && budget.spend(messages[start - 1])) start--;
        viewport.hold(() => timeline.prepend(messages.slice(start, end)));
        end = start;
        if (end > 0) await nextFrame();
        if (restarts !== this.#restarts) return false;
      }
      this.#status = messages.length > 0 ? "idle" : "complete";
      viewport.hold(() => this.#say(messages.length > 0 ? "" : `This is where #${room} begins.`));
      return messages.length > 0;
    } catch (error) {
      if (restarts === this.#restarts) {
        this.#fail(error instanceof Error ? error.message : String(error));
      }
      return false;
    }
  }

  #say(text: string): void {
    withoutFocusLoss(this.#line, () => setText(this.#line, text), this.#options.focusNext);
  }

  #fail(why: string): void {
    this.#status = "failed";
    const retry = createButton("Try again", () => {
      this.#status = "idle";
      void this.loadWhenDue();
    });
    this.#line.replaceChildren(create("span", { text: `Older messages: ${why} ` }), retry);
  }
}
