/**
 * State as snapshots that a view can subscribe to.
 *
 * @module
 */

/**
 * A store of one value by the contract of React's `useSyncExternalStore`, which Svelte, Vue and
 * Solid fit as well: each change makes a new object, nothing else does, and listeners are called at
 * most once a turn.
 *
 * @example
 * ```ts
 * import { SnapshotStore } from "./snapshot_store.ts";
 *
 * let count = 0;
 * const store = new SnapshotStore(() => ({ count }));
 * const unsubscribe = store.subscribe(() => console.log(store.snapshot.count)); // 2, once
 * for (count = 1; count < 2; count++) store.changed();
 * await Promise.resolve();
 * unsubscribe();
 * ```
 */
export class SnapshotStore<Snapshot extends object> {
  readonly #build: () => Snapshot;
  /** An object for each subscription: the same function may be given twice. */
  readonly #subscriptions = new Set<{ readonly listener: () => void }>();
  #snapshot: Snapshot | undefined;
  /** What the listeners know of. */
  #told: Snapshot | undefined;
  #isStale = false;
  #isDue = false;

  /** @param build Makes a snapshot of now; each part of it is the same while nothing changed it. */
  constructor(build: () => Snapshot) {
    this.#build = build;
  }

  /** The present state; the same object until something of it changes. */
  get snapshot(): Snapshot {
    if (this.#snapshot === undefined || this.#isStale) {
      this.#isStale = false;
      const next = this.#build();
      if (!this.#snapshot || !isSame(this.#snapshot, next)) this.#snapshot = Object.freeze(next);
    }
    return this.#snapshot;
  }

  /** How many subscriptions there are. */
  get size(): number {
    return this.#subscriptions.size;
  }

  /** Marks that the state may have changed; the listeners are called at the end of this turn. */
  changed(): void {
    this.#isStale = true;
    if (this.#isDue || this.size === 0) return;
    this.#isDue = true;
    queueMicrotask(() => this.#tell());
  }

  /**
   * Subscribes to changes.
   *
   * @param listener Called after each, at most once a turn.
   * @returns Ends the subscription; a second call does nothing.
   */
  subscribe(listener: () => void): () => void {
    if (this.size === 0) this.#told = this.snapshot;
    const subscription = { listener };
    this.#subscriptions.add(subscription);
    return () => void this.#subscriptions.delete(subscription);
  }

  #tell(): void {
    this.#isDue = false;
    if (this.snapshot === this.#told) return;
    this.#told = this.snapshot;
    for (const subscription of [...this.#subscriptions]) {
      if (!this.#subscriptions.has(subscription)) continue;
      try {
        subscription.listener();
      } catch (error) {
        // As an event target does: reported, and the other listeners are called all the same.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

function isSame<Snapshot extends object>(one: Snapshot, other: Snapshot): boolean {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof Snapshot>;
  return [...keys].every((key) => Object.is(one[key], other[key]));
}
