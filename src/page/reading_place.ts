/**
 * Where in a room the reader is.
 *
 * @module
 */

import type { Identity, Memory } from "./memory.ts";
import type { MessageWindow } from "./message_window.ts";
import type { Timeline } from "./timeline.ts";
import type { Viewport } from "./viewport.ts";

/** The options of {@linkcode ReadingPlace}. */
export interface ReadingPlaceOptions {
  /** What outlasts the page. */
  readonly memory: Memory;
  /** The part of the messages that is in view. */
  readonly viewport: Viewport;
  /** The messages. */
  readonly timeline: Timeline;
  /** The piece of the log that they are. */
  readonly window: MessageWindow;
  /** Gives whose place it is; undefined until that is known, and the history here. */
  readonly identity: () => Identity | undefined;
  /** Called with the last message that the reader has seen, each time there is another one. */
  readonly onRead: (cursor: string) => void;
}

/** Keeps the place in view over a reload, and tells how far the reader has seen. */
export class ReadingPlace {
  readonly #options: ReadingPlaceOptions;
  #read: string | undefined;

  /** @param options The messages, and what is in view of them. */
  constructor(options: ReadingPlaceOptions) {
    this.#options = options;
  }

  /** Cursor of the last message that the reader has seen; undefined before any. */
  get read(): string | undefined {
    return this.#read;
  }

  /**
   * Begins where the reader has read before.
   *
   * @param cursor How far.
   */
  begin(cursor: string | undefined): void {
    this.#read ??= cursor;
  }

  /** The reader has scrolled: keeps the place. */
  save(): void {
    const { memory, viewport, timeline, identity } = this.#options;
    const owner = identity();
    if (!owner) return;
    this.noteRead();
    const { isFollowing, top } = viewport;
    const first = isFollowing ? undefined : timeline.firstBelow(top);
    const cursor = first?.dataset.cursor;
    const place = first && cursor !== undefined
      ? { cursor, offset: first.getBoundingClientRect().top - top }
      : undefined;
    memory.setPlace(owner, place);
  }

  /** Tells how far the reader has seen: nothing in a tab that is not. */
  noteRead(): void {
    const { viewport, timeline, identity, onRead, window } = this.#options;
    if (!identity() || document.visibilityState !== "visible") return;
    // Who was led to a place far from there has not read what lies between.
    if (window.hasNewer && !((timeline.first ?? "") <= (this.#read ?? ""))) return;
    const cursor = viewport.isFollowing ? timeline.last : timeline.lastAbove(viewport.bottom);
    if (cursor === undefined || this.#read !== undefined && cursor <= this.#read) return;
    this.#read = cursor;
    onRead(cursor);
  }
}
