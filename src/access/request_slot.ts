/**
 * A place within limits, which is released once.
 *
 * @module
 */

/** A place that a request holds until it is answered. */
export interface RequestSlot extends Disposable {
  /** Releases the place. A second call does nothing. */
  readonly release: () => void;
}

/**
 * Creates a place.
 *
 * @param onRelease Called when it is released, once.
 * @returns The place.
 */
export function createSlot(
  onRelease: () => void,
): RequestSlot & { readonly isReleased: boolean } {
  let isReleased = false;
  const release = () => {
    if (isReleased) return;
    isReleased = true;
    onRelease();
  };
  return {
    release,
    [Symbol.dispose]: release,
    get isReleased() {
      return isReleased;
    },
  };
}
