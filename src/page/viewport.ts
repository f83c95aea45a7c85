/**
 * What of the messages is in view.
 *
 * @module
 */

/** CSS pixels from the end within which the reader counts as being there. */
const END_PX = 48;

/** Who hears of what {@linkcode Viewport} sees. */
export interface ViewportOptions {
  /** The reader comes near the top: older messages are due. */
  readonly onNearTop: () => void;
  /** The reader came to the end, or left it. */
  readonly onFollowChange: (isFollowing: boolean) => void;
  /** The reader scrolled. */
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

  /**
   * @param scroller What scrolls.
   * @param content What is in it, and grows.
   * @param options Who hears of changes.
   */
  constructor(scroller: HTMLElement, content: HTMLElement, options: ViewportOptions) {
    this.#scroller = scroller;
    this.#options = options;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // Whatever grows or shrinks, messages or the window or the field for writing: one at the end
    // stays there. It runs after layout and before painting, so that nothing flickers.
    const observer = new ResizeObserver(() => {
      if (this.#isFollowing) this.#pin();
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

  /**
   * Goes to the end.
   *
   * @param behavior `smooth` only where the reader asked for it and does not mind motion.
   */
  follow(behavior: "instant" | "smooth" = "instant"): void {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (behavior === "smooth" && !isCalm) {
      this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior });
    } else {
      this.#pin();
      this.#setFollowing(true);
    }
  }

  /**
   * Changes something above what is in view, which stays where it is.
   *
   * @param change Changes the content, at once.
   */
  hold(change: () => void): void {
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    change();
    this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
    this.#lastTop = this.#scroller.scrollTop;
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

  /** Looks whether older messages are due: after some came, there may still be room for more. */
  checkTop(): void {
    if (this.#scroller.scrollTop < this.#scroller.clientHeight) this.#options.onNearTop();
  }

  #scrolled(): void {
    const { scrollTop } = this.#scroller;
    const isUp = scrollTop < this.#lastTop;
    this.#lastTop = scrollTop;
    // Only who scrolls up leaves the end: this event may be that of an earlier step down, and
    // come when more has been added below.
    if (this.#isAtEnd()) this.#setFollowing(true);
    else if (isUp) this.#setFollowing(false);
    this.checkTop();
    this.#options.onScroll();
  }

  #isAtEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < END_PX;
  }

  #pin(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #setFollowing(isFollowing: boolean): void {
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#options.onFollowChange(isFollowing);
  }
}
