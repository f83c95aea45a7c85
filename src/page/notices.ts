/**
 * Notices of mentions in a tab that is hidden.
 *
 * @module
 */

import type { StoredMessage } from "../client/mod.ts";
import { find } from "./elements.ts";
import { withoutFocusLoss } from "./focus.ts";
import type { Memory } from "./memory.ts";

/** Characters of a message that a notice shows. */
const SHOWN = 200;

/** The options of {@linkcode Notices}. */
export interface NoticesOptions {
  /** What outlasts the page. */
  readonly memory: Memory;
  /** Opens a room. */
  readonly open: (room: string) => void;
}

/**
 * Shows notices of the browser. Asks for leave once somebody has mentioned the reader, and not before:
 * then it is plain what for.
 */
export class Notices {
  readonly #options: NoticesOptions;

  /** @param options What to do for the reader. */
  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /**
   * Tells of a mention.
   *
   * @param room The room.
   * @param message The message.
   */
  mentioned(room: string, message: StoredMessage): void {
    if (!("Notification" in globalThis)) return;
    if (Notification.permission === "default") return this.#ask();
    if (Notification.permission !== "granted" || document.visibilityState === "visible") return;
    const { user, name = user, text } = message;
    const icon = document.querySelector<HTMLLinkElement>("link[rel=apple-touch-icon]")?.href;
    try {
      // One of a room takes the place of the last.
      const notice = new Notification(`${name} in #${room}`, {
        body: text.slice(0, SHOWN).toWellFormed(),
        tag: `hubbub:${room}`,
        icon,
      });
      notice.onclick = () => {
        focus();
        notice.close();
        this.#options.open(room);
      };
    } catch {
      // Android has them for service workers alone.
    }
  }

  #ask(): void {
    const { memory } = this.#options;
    if (memory.isAskedForNotices) return;
    const bar = find("ask-notices", HTMLElement);
    bar.hidden = false;
    const close = () => {
      memory.isAskedForNotices = true;
      const next = () => find("composer-text", HTMLElement);
      withoutFocusLoss(bar, () => bar.hidden = true, next);
    };
    find("ask-notices-no", HTMLButtonElement).onclick = close;
    find("ask-notices-yes", HTMLButtonElement).onclick = () => {
      close();
      void Notification.requestPermission();
    };
  }
}
