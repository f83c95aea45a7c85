/**
 * The bar that finds messages in a room.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { find, setText } from "./elements.ts";
import type { LogPages } from "./log_pages.ts";
import { markWords } from "./marked_words.ts";
import type { Timeline } from "./timeline.ts";

/** Pages of older messages that are searched before the reader is asked whether to go on. */
const PAGES_AT_ONCE = 20;
const PAGE = 100;

/** The options of {@linkcode FindBar}. */
export interface FindBarOptions {
  /** The log. */
  readonly pages: LogPages;
  /** The messages that are shown. */
  readonly timeline: Timeline;
  /** Brings a message into view, however far back it is; false where it is not there. */
  readonly goTo: (cursor: string) => Promise<boolean>;
  /** Moves the focus to where one writes. */
  readonly focus: () => void;
  /** Ends it with the room. */
  readonly signal: AbortSignal;
}

/** Finds words in the messages that are here, and then further and further back. */
export class FindBar {
  readonly #options: FindBarOptions;
  readonly #bar = find("find", HTMLFormElement);
  readonly #field = find("find-text", HTMLInputElement);
  readonly #count = find("find-count", HTMLElement);
  #words = "";
  /** The message that was found last. */
  #at: string | undefined;
  /** What was found further back than the messages that are here. */
  #far: StoredMessage[] = [];
  /** How far back was searched. */
  #from: string | undefined;
  /** How often a search began, or was given up. */
  #searches = 0;
  #isSearching = false;

  /** @param options The messages. */
  constructor(options: FindBarOptions) {
    this.#options = options;
    find("find-open", HTMLElement).onclick = () => this.#open();
    // In the column, where the top is too narrow.
    find("rooms-find", HTMLElement).onclick = () => {
      find("rooms-close", HTMLElement).click();
      this.#open();
    };
    find("find-older", HTMLElement).onclick = () => this.#step(-1);
    find("find-newer", HTMLElement).onclick = () => this.#step(1);
    find("find-close", HTMLElement).onclick = () => this.#close();
    this.#field.oninput = () => this.#begin();
    this.#bar.onsubmit = (event) => {
      event.preventDefault();
      this.#step(-1);
    };
    this.#bar.onkeydown = (event) => {
      const isBack = event.key === "Enter" && event.shiftKey && event.target === this.#field;
      if (!isBack && event.key !== "Escape") return;
      event.preventDefault();
      if (isBack) this.#step(1);
      else this.#close();
    };
    addEventListener("keydown", (event) => this.#pressed(event), { signal: options.signal });
    options.signal.addEventListener("abort", () => markWords(undefined, ""));
  }

  #pressed(event: KeyboardEvent): void {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    const isFind = key.toLowerCase() === "f" && (ctrlKey || metaKey) && !altKey && !shiftKey;
    // A second time, the browser finds: in the whole page.
    const isOwn = document.activeElement === this.#field || document.querySelector("dialog[open]");
    if (!isFind || isOwn) return;
    event.preventDefault();
    this.#open();
  }

  #open(): void {
    this.#bar.hidden = false;
    this.#field.focus();
    this.#field.select();
  }

  #close(): void {
    this.#searches++;
    this.#isSearching = false;
    this.#mark(undefined);
    this.#bar.hidden = true;
    this.#options.focus();
  }

  #begin(): void {
    this.#searches++;
    this.#isSearching = false;
    this.#words = this.#field.value.trim().toLowerCase();
    this.#far = [];
    this.#at = this.#from = undefined;
    this.#mark(undefined);
    const newest = this.#found.at(-1);
    if (newest !== undefined) return void this.#show(newest);
    setText(this.#count, this.#words === "" ? "" : "Not found yet: Enter looks further back");
  }

  /** Goes to the next message that was found: further back, or forward. */
  #step(step: 1 | -1): void {
    if (this.#words === "") return;
    const found = this.#found;
    const at = this.#at === undefined ? found.length : found.indexOf(this.#at);
    const next = found[at + step];
    if (next !== undefined) void this.#show(next);
    else if (step < 0 && !this.#isSearching) void this.#search();
  }

  /** The cursors of the messages that were found, oldest first. */
  get #found(): string[] {
    const { pages, timeline } = this.#options;
    if (this.#words === "") return [];
    const here = [...pages.latest(Infinity), ...timeline.messages].filter(this.#fits);
    return [...new Set([...this.#far, ...here].map(({ cursor }) => cursor))].sort();
  }

  readonly #fits = ({ text, deleted }: StoredMessage): boolean =>
    !deleted && text.toLowerCase().includes(this.#words);

  /** Looks further back, as far as it takes or as many pages as are read at once. */
  async #search(): Promise<void> {
    const { pages } = this.#options;
    const search = ++this.#searches;
    this.#isSearching = true;
    this.#from ??= this.#beginning;
    setText(this.#count, "Looking further back…");
    try {
      for (let page = 0; page < PAGES_AT_ONCE; page++) {
        const messages = await pages.before(this.#from, PAGE);
        if (search !== this.#searches) return;
        if (messages.length === 0) return this.#say("Nothing further back");
        this.#from = messages[0].cursor;
        const found = messages.filter(this.#fits);
        this.#far.push(...found);
        const newest = found.at(-1);
        if (newest) return await this.#show(newest.cursor);
      }
      const date = new Date((await pages.find(this.#from ?? ""))?.at ?? Date.now());
      this.#say(`Not found back to ${date.toLocaleDateString()}: Enter goes on`);
    } catch (error) {
      if (search === this.#searches) this.#say(error instanceof Error ? error.message : "");
    } finally {
      if (search === this.#searches) this.#isSearching = false;
    }
  }

  /** The oldest message that is here without a gap up to the newest one. */
  get #beginning(): string | undefined {
    const { pages, timeline } = this.#options;
    const kept = pages.latest(Infinity)[0]?.cursor ?? timeline.first;
    const isJoined = kept !== undefined && (timeline.last ?? "") >= kept;
    return isJoined && timeline.first !== undefined && timeline.first < kept
      ? timeline.first
      : kept;
  }

  async #show(cursor: string): Promise<void> {
    this.#at = cursor;
    const found = this.#found;
    this.#say(`${found.indexOf(cursor) + 1} of ${found.length}`);
    const isThere = await this.#options.goTo(cursor);
    if (isThere && cursor === this.#at && !this.#bar.hidden) this.#mark(cursor);
  }

  #mark(cursor: string | undefined): void {
    const { timeline } = this.#options;
    document.querySelector(".finding")?.classList.remove("finding");
    const item = cursor === undefined ? undefined : timeline.find(cursor);
    item?.classList.add("finding");
    markWords(item?.querySelector(".text") ?? undefined, this.#words);
  }

  #say(text: string): void {
    setText(this.#count, text);
  }
}
