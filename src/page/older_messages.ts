/**
 * Messages from before what is shown.
 *
 * @module
 */

import type { Message } from "../protocol/mod.ts";
import { create, createButton, setText } from "./elements.ts";
import type { Place } from "./memory.ts";
import type { Timeline } from "./timeline.ts";
import type { Viewport } from "./viewport.ts";

/** Messages that are asked for at once: by scrolling, and on the way back to a place. */
const PAGE = 50;
const LONG_PAGE = 100;
/** Pages after which the way back to a place is too long. */
const PAGES_TO_PLACE = 30;

/** What {@linkcode OlderMessages} works with. */
export interface OlderMessagesOptions {
  /** Reads the messages before the oldest that was read; none at the beginning. */
  readonly load: (limit: number) => Promise<Message[]>;
  /** Where they are shown. */
  readonly timeline: Timeline;
  /** What is in view, which stays there. */
  readonly viewport: Viewport;
  /** The room, for saying where it begins. */
  readonly room: string;
}

/** Loads older messages when they are due, and says so at the top of the list. */
export class OlderMessages {
  readonly #line: HTMLElement;
  readonly #options: OlderMessagesOptions;
  #status: "idle" | "loading" | "failed" | "complete" = "idle";

  /**
   * @param line The element at the top of the list.
   * @param options Where messages come from and go to.
   */
  constructor(line: HTMLElement, options: OlderMessagesOptions) {
    this.#line = line;
    this.#options = options;
  }

  /** Loads a page, unless one is on its way, the last try failed, or there are no more. */
  async loadWhenDue(): Promise<void> {
    if (this.#status === "idle" && await this.#load(PAGE)) this.#options.viewport.checkTop();
  }

  /** Takes note that there are older messages again, also where the beginning was reached. */
  reopen(): void {
    if (this.#status !== "complete") return;
    this.#status = "idle";
    setText(this.#line, "");
  }

  /**
   * Goes back to a place, however many pages that takes.
   *
   * @param place Where.
   */
  async goTo(place: Place): Promise<void> {
    const { timeline, viewport } = this.#options;
    for (let page = 0; page < PAGES_TO_PLACE && !timeline.find(place.cursor); page++) {
      if (!await this.#load(LONG_PAGE)) break;
    }
    const element = timeline.find(place.cursor);
    if (element) viewport.show(element, place.offset);
  }

  /** Loads a page; false where there is none. */
  async #load(limit: number): Promise<boolean> {
    const { load, timeline, viewport, room } = this.#options;
    this.#status = "loading";
    setText(this.#line, "Loading older messages…");
    try {
      const messages = await load(limit);
      this.#status = messages.length > 0 ? "idle" : "complete";
      viewport.hold(() => {
        timeline.prepend(messages);
        setText(this.#line, messages.length > 0 ? "" : `This is where #${room} begins.`);
      });
      return messages.length > 0;
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      return false;
    }
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
