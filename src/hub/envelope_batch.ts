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
  /** The display name of a user that is here, if there is one. */
  readonly name?: string;
  /** Whether the user was here before, under another display name. @default {false} */
  readonly isRename?: boolean;
}

/** Envelopes of protocol 2, encoded when somebody reads them. */
export interface EnvelopesV2 {
  /**
   * Encodes them for all members but those that get their own.
   *
   * @returns The envelopes, in order, each as JSON text without a raw line feed.
   */
  encode(): readonly string[];
  /**
   * Encodes them for the connections of one user.
   *
   * @param user The user.
   * @returns The envelopes, or undefined where they are those for all.
   */
  encodeFor?(user: string): readonly string[] | undefined;
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
  /** The same in protocol 2. @default {undefined} its members get nothing of it */
  readonly v2?: EnvelopesV2;
}

/**
 * One or more envelopes, encoded once for however many members get them: once in protocol 1, and
 * once in protocol 2, where a member reads it.
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
  /** What each envelope says, where they are ephemeral: as many as there are envelopes. */
  readonly changes: readonly StatusChange[] | undefined;
  /** Whether a whole room gets it at once. */
  readonly forMany: boolean;
  readonly #encode: (() => readonly string[]) | undefined;
  readonly #v2: EnvelopesV2 | undefined;
  #envelopes: readonly string[] | undefined;
  #length = -1;
  #lines: string | undefined;
  #linesV2: string | undefined;

  /**
   * Makes a batch.
   *
   * @param envelopes At least one envelope as JSON text, or what encodes them when they are read.
   * @param options Whether they are ephemeral, and whether many members get them.
   * @throws {RangeError} Where there are not as many changes as envelopes.
   */
  constructor(
    envelopes: readonly string[] | (() => readonly string[]),
    options: EnvelopeBatchOptions = {},
  ) {
    const { changes, forMany = false, v2 } = options;
    if (typeof envelopes === "function") this.#encode = envelopes;
    else {
      if (changes && changes.length !== envelopes.length) {
        throw new RangeError(
          `Cannot make a batch of ${envelopes.length} envelopes with ${changes.length} changes`,
        );
      }
      this.#envelopes = envelopes;
    }
    this.changes = changes;
    this.forMany = forMany;
    this.#v2 = v2;
  }

  /** The envelopes of protocol 1, in order, each as JSON text without a raw line feed. */
  get envelopes(): readonly string[] {
    return this.#envelopes ??= this.#encode?.() ?? [];
  }

  /** UTF-16 code units of all envelopes of protocol 1, and one more for each. */
  get length(): number {
    if (this.#length >= 0) return this.#length;
    let length = 0;
    for (const envelope of this.envelopes) length += envelope.length + 1;
    return this.#length = length;
  }

  /** Whether a member that is behind may be sent the newest state instead: typing and presence. */
  get ephemeral(): boolean {
    return this.changes !== undefined;
  }

  /** All of it as one text: a frame of the subprotocol `hubbub.v1.lines`. */
  get lines(): string {
    return this.#lines ??= this.envelopes.join("\n");
  }

  /**
   * Returns all of it as one text in protocol 2: a frame of the subprotocol `hubbub.v2`.
   *
   * @param user The user whose connection it is for.
   * @returns The text; empty where there is nothing of it in protocol 2.
   */
  linesV2(user?: string): string {
    const own = user === undefined ? undefined : this.#v2?.encodeFor?.(user);
    if (own) return own.join("\n");
    return this.#linesV2 ??= this.#v2?.encode().join("\n") ?? "";
  }
}
