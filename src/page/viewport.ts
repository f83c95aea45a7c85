/**
 * The part of the messages that is in view.
 *
 * @module
 */

/** CSS pixels from the end within which the reader counts as being there. */
const END_PX = 48;

/** The options of {@linkcode Viewport}. */
export interface ViewportOptions {
  /** The line above the oldest message that can be loaded; near it, older messages are due. */
  readonly start: HTMLElement;
  /** The line below the newest one that is shown; near it, newer ones are due. */
  readonly end: HTMLElement;
  /** Whether the end is not that of the room. */
  readonly hasNewer: () => boolean;
  /** Called when older messages are due. */
  readonly onNearStart: () => void;
  /** Called when newer messages are due, where there are any. */
  readonly onNearEnd: () => void;
  /** Called when the reader came to the end, or left it. */
  readonly onFollowChange: (isFollowing: boolean) => void;
  /** Called when the reader scrolled. */
  readonly onScroll: () => void;
}

/**
 * A scrolling element that follows its content's growth while the reader is at the end, and
 * otherwise leaves what is in view where it is.
 */
export class Viewport {
  readonly #scroller: HTMLElement;
  readonly #options: ViewportOptions;
  #isFollowing = true;
  #lastTop = 0;
  /** The height of the content when it was last painted: what the reader saw while scrolling. */
  #paintedHeight = 0;

  /**
   * @param scroller The element that scrolls.
   * @param content The element in it, which grows.
   * @param options What to call after changes.
   */
  constructor(scroller: HTMLElement, content: HTMLElement, options: ViewportOptions) {
    this.#scroller = scroller;
    this.#options = options;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // Whatever grows or shrinks, messages or the window or the field for writing: one at the end
    // stays there. It runs after layout and before painting, so that nothing flickers.
    const observer = new ResizeObserver(() => {
      if (this.#isFollowing) this.#pin();
      this.#paintedHeight = scroller.scrollHeight;
    });
    observer.observe(scroller);
    observer.observe(content);
  }

  /** Whether the reader is at the end and new messages come into view. */
  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** CSS pixels from the top of the window to the top of the view. */
  get top(): number {
    return this.#scroller.getBoundingClientRect().top;
  }

  /** CSS pixels from the top of the window to the bottom of the view. */
  get bottom(): number {
    return this.#scroller.getBoundingClientRect().bottom;
  }

  /** Goes to the end, and stays there whatever comes. At once: a busy room outruns any motion. */
  follow(): void {
    this.#pin();
    this.#setFollowing(true);
  }

  /**
   * Changes something above what is in view, which stays where it is.
   *
   * @param change Changes the content, at once.
   */
  hold(change: () => void): void {
    const anchor = this.#anchor();
    // Its lower end: what comes before it may change how it begins, as the second of a group.
    const before = anchor?.getBoundingClientRect().bottom ?? 0;
    const { scrollHeight: height, scrollTop } = this.#scroller;
    change();
    // What the reader saw of the end is as far below as before.
    this.#paintedHeight += this.#scroller.scrollHeight - height;
    if (anchor?.isConnected) {
      this.#scroller.scrollTop += anchor.getBoundingClientRect().bottom - before;
    }
    // The event of a step that the reader has just made is still to come: it is no part of this one.
    this.#lastTop += this.#scroller.scrollTop - scrollTop;
  }

  /**
   * Brings an element to a place in the view.
   *
   * @param element The element.
   * @param offset CSS pixels from the top of the view to the top of the element.
   */
  show(element: HTMLElement, offset: number): void {
    const now = element.getBoundingClientRect().top - this.top;
    this.#scroller.scrollTop += now - offset;
    this.#lastTop = this.#scroller.scrollTop;
    this.#setFollowing(this.#isAtEnd());
  }

  /** Leaves the end: what is below is shown no longer. */
  leaveEnd(): void {
    this.#setFollowing(false);
  }

  /** Follows where the end is in view: it may have become that of the room. */
  checkFollowing(): void {
    if (this.#isAtEnd()) this.#setFollowing(true);
  }

  /** Checks whether messages are due at an end: after some came, there may still be room for more. */
  checkEnds(): void {
    const { top, bottom, height } = this.#scroller.getBoundingClientRect();
    const start = this.#options.start.getBoundingClientRect();
    if (start.bottom > top - height && start.top < bottom) this.#options.onNearStart();
    const end = this.#options.end.getBoundingClientRect();
    if (end.top < bottom + height && end.bottom > top) this.#options.onNearEnd();
  }

  #scrolled(): void {
    const { scrollTop } = this.#scroller;
    const isUp = scrollTop < this.#lastTop;
    this.#lastTop = scrollTop;
    // Only who scrolls up leaves the end: this event may be that of an earlier step down, and
    // come when more has been added below.
    if (this.#isAtEnd()) this.#setFollowing(true);
    else if (isUp) this.#setFollowing(false);
    this.checkEnds();
    this.#options.onScroll();
  }

  /** Whether the end is in view: the end of now, or that which the reader saw while scrolling. */
  #isAtEnd(): boolean {
    if (this.#options.hasNewer()) return false;
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const end = this.#isFollowing ? scrollHeight : Math.min(scrollHeight, this.#paintedHeight);
    return end - scrollTop - clientHeight < END_PX;
  }

  /** A message that is in view: below the start, where both sides of it are. */
  #anchor(): HTMLElement | undefined {
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    const start = this.#options.start.getBoundingClientRect();
    const line = start.bottom > top && start.bottom < bottom ? start.bottom : top;
    const items = [...this.#scroller.querySelectorAll<HTMLElement>(".message")];
    return firstBelow(items, line) ?? items.at(-1);
  }

  #pin(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    // The event of this step may come together with one of the reader's.
    this.#lastTop = this.#scroller.scrollTop;
  }

  #setFollowing(isFollowing: boolean): void {
    if (isFollowing && !this.#isFollowing) this.#pin();
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#options.onFollowChange(isFollowing);
  }
}

/**
 * Finds the first element that reaches below a line.
 *
 * @param elements Elements one below the other.
 * @param line The line: CSS pixels from the top of the window.
 * @returns The element, where there is one.
 */
export function firstBelow(
  elements: readonly HTMLElement[],
  line: number,
): HTMLElement | undefined {
  let [low, high] = [0, elements.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (elements[middle].getBoundingClientRect().bottom <= line) low = middle + 1;
    else high = middle;
  }
  return elements[low];
}
