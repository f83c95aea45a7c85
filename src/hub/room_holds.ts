/**
 * What keeps a room in memory.
 *
 * @module
 */

/** A reason to keep a room in memory that comes and goes. */
export interface RoomHold {
  /**
   * Sets whether the reason stands.
   *
   * @param isNeeded Whether the room must stay.
   */
  set(isNeeded: boolean): void;
}

/**
 * Counts the reasons to keep a room in memory, and calls back when the last one has gone.
 *
 * @example
 * ```ts
 * import { RoomHolds } from "./room_holds.ts";
 *
 * const holds = new RoomHolds(() => console.log("nobody needs it"));
 * {
 *   using _hold = holds.take();
 *   console.log(holds.size); // 1
 * } // nobody needs it
 * ```
 */
export class RoomHolds {
  readonly #onIdle: () => void;
  #size = 0;

  /** @param onIdle Called each time when the last reason has gone; none may stand at first. */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  /** How many reasons stand. */
  get size(): number {
    return this.#size;
  }

  /**
   * Keeps the room for as long as something lasts.
   *
   * @returns What lets the room go, for `using`; a second call of it does nothing.
   */
  take(): Disposable {
    let isTaken = true;
    this.#size++;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#release();
        isTaken = false;
      },
    };
  }

  /**
   * Keeps the room while an action runs: the same as {@linkcode RoomHolds.take} for what happens
   * with every message, where `using` would cost half a microsecond.
   *
   * @param action What runs, within this turn of the event loop.
   */
  during(action: () => void): void {
    this.#size++;
    try {
      action();
    } finally {
      this.#release();
    }
  }

  /**
   * Makes a reason that comes and goes, such as that somebody is typing.
   *
   * @returns The reason, which does not stand yet.
   */
  create(): RoomHold {
    let isSet = false;
    return {
      set: (isNeeded) => {
        if (isNeeded === isSet) return;
        isSet = isNeeded;
        if (isNeeded) this.#size++;
        else this.#release();
      },
    };
  }

  #release(): void {
    if (--this.#size === 0) this.#onIdle();
  }
}
