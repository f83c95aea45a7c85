/**
 * Marks by which commits are known again.
 *
 * @module
 */

/** Commits whose marks are remembered. */
const KNOWN_MAX = 8;

/** A commit with its mark. */
export interface MarkedCommit {
  /** The commit. */
  readonly commit: string;
  /** A random number. */
  readonly mark: number;
}

/** The marks of the newest commits that are known. */
export class CommitMarks {
  readonly #known = new Map<string, number>();

  /**
   * Tells whether a commit is the one that was known at its place.
   *
   * @param commit The commit.
   * @returns True also where none was known.
   */
  fits({ commit, mark }: MarkedCommit): boolean {
    return (this.#known.get(commit) ?? mark) === mark;
  }

  /**
   * Remembers a commit.
   *
   * @param commit The commit.
   */
  add({ commit, mark }: MarkedCommit): void {
    this.#known.delete(commit);
    this.#known.set(commit, mark);
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!);
  }
}
