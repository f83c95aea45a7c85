/**
 * Envelopes that go out to many members at once.
 *
 * @module
 */

/** What an ephemeral envelope says: the newest of a kind and a user holds, those before do not. */
export interface StatusChange {
  /** Whether it is about who is typing or about who is here. */
  readonly kind: "typing" | "presence";
  /** The user it is about. */
  readonly user: string;
  /** Whether the user is typing, or here, from now on. */
  readonly status: boolean;
}

/** How an {@linkcode EnvelopeBatch} may be sent. */
export interface EnvelopeBatchOptions {
  /**
   * What each envelope says, in their order, where all of them are ephemeral: typing and presence.
   * A member that is behind may be sent the newest of each kind and user alone, and later.
   *
   * @default {undefined} every envelope must reach the member
   */
  readonly changes?: readonly StatusChange[];
  /** Whether a whole room gets it at once. @default {false} */
  readonly forMany?: boolean;
}

/**
 * One or more envelopes, encoded once for however many members get them.
 *
 * @example
 * ```ts
 * import { EnvelopeBatch } from "@hubbub/hub";
 * import { encodeEnvelope } from "@hubbub/hub/protocol";
 *
 * const payload = { user: "ann", status: true };
 * const batch = new EnvelopeBatch([encodeEnvelope({ type: "typing_status", payload })], {
 *   changes: [{ kind: "typing", ...payload }],
 * });
 * console.log(batch.lines); // {"type":"typing_status","payload":{"user":"ann","status":true}}
 * ```
 */
export class EnvelopeBatch {
  /** The envelopes, in order, each as JSON text without a raw line feed. */
  readonly envelopes: readonly string[];
  /** What each envelope says, where they are ephemeral: as many as there are envelopes. */
  readonly changes: readonly StatusChange[] | undefined;
  /** Whether a whole room gets it at once. */
  readonly forMany: boolean;
  /** UTF-16 code units of all of them, and one more for each. */
  readonly length: number;
  #lines: string | undefined;

  /**
   * Makes a batch.
   *
   * @param envelopes At least one envelope as JSON text.
   * @param options Whether they are ephemeral, and whether many members get them.
   * @throws {RangeError} Where there are not as many changes as envelopes.
   */
  constructor(envelopes: readonly string[], options: EnvelopeBatchOptions = {}) {
    const { changes, forMany = false } = options;
    if (changes && changes.length !== envelopes.length) {
      throw new RangeError(
        `Cannot make a batch of ${envelopes.length} envelopes with ${changes.length} changes`,
      );
    }
    this.envelopes = envelopes;
    this.changes = changes;
    this.forMany = forMany;
    let length = 0;
    for (const envelope of envelopes) length += envelope.length + 1;
    this.length = length;
  }

  /** Whether a member that is behind may be sent the newest state instead: typing and presence. */
  get ephemeral(): boolean {
    return this.changes !== undefined;
  }

  /** All of it as one text: a frame of the subprotocol `hubbub.v1.lines`. */
  get lines(): string {
    return this.#lines ??= this.envelopes.join("\n");
  }
}
