/**
 * Changes that were made before.
 *
 * @module
 */

/** The change that has a name, which another one claims. */
export interface Claim {
  /** Its place. */
  readonly cursor: string;
  /** Its unique id. */
  readonly id: string;
  /** 32 bits of a hash of what its sender sent. */
  readonly hash: number;
}

/** A commit was refused, and nothing of it stored: some of its changes were made before. */
export class ClaimedError extends Error {
  /** By the id of each change that was refused, the one that was made before. */
  readonly claims: ReadonlyMap<string, Claim>;

  /** @param claims By the id of each change that was refused, the one that was made before. */
  constructor(claims: ReadonlyMap<string, Claim>) {
    super("The commit holds changes that were made before");
    this.name = "ClaimedError";
    this.claims = claims;
  }
}
