/**
 * A place within limits, which is released once.
 *
 * @module
 */

import type { ProcessorAccount } from "./processor_shares.ts";

/** A place that a request holds until it is answered. */
export interface RequestSlot extends Disposable {
  /** Releases the place. A second call does nothing. */
  readonly release: () => void;
}

/** A place of a request, and by what its answer counts. */
export interface SharedSlot extends Pick<RequestSlot, "release"> {
  /** The address or network that the request comes from, if that is known. */
  readonly address: string | undefined;
  /** Whose share of the memory for what is not read yet the answer uses, if that is known. */
  readonly share: string | undefined;
  /** The processor's time that is spent on the address; undefined where none is counted. */
  readonly processor: ProcessorAccount | undefined;
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
