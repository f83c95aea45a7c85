/**
 * What the reader may do in the room.
 *
 * @module
 */

import type { Muted } from "../client/mod.ts";
import type { Composer } from "./composer.ts";
import type { RoomFeed } from "./room_feed.ts";
import { mutedPhrase } from "./sanction_phrases.ts";

/** Words for who may only read. */
const READS = "You can read here, but not write.";

/** Shows where one writes what the reader's role and a mute leave of it. */
export class Standing {
  readonly #feed: RoomFeed;
  readonly #composer: Composer;
  readonly #focusNext: () => HTMLElement | null;
  /** A mute of which the reader has asked whether it still holds. */
  #asked: Muted | undefined;

  /**
   * @param feed The room.
   * @param composer The field for writing.
   * @param focusNext Gets the focus where the field is gone.
   */
  constructor(feed: RoomFeed, composer: Composer, focusNext: () => HTMLElement | null) {
    this.#feed = feed;
    this.#composer = composer;
    this.#focusNext = focusNext;
    feed.addEventListener("standing", () => this.show());
  }

  /** Shows it as it is now. */
  show(): void {
    const { role, muted, status } = this.#feed.snapshot;
    if (status === "closed") return;
    if (role === "reader") {
      return this.#composer.stop({ words: READS, isHidden: true }, this.#focusNext);
    }
    if (!muted || muted === this.#asked) return this.#composer.resume();
    const words = mutedPhrase(muted, new Date());
    this.#composer.stop({ words, onAsk: () => this.#ask(muted) }, this.#focusNext);
  }

  /** Tries whether a mute still holds: the hub answers where it does. */
  #ask(muted: Muted): void {
    const { room } = this.#feed;
    this.#asked = muted;
    this.show();
    this.#composer.field.focus();
    room.typing(false);
    room.typing(true);
  }
}
