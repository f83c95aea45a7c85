/**
 * What goes out to many members at once.
 *
 * @module
 */

/**
 * One or more envelopes, encoded once for however many members get them.
 *
 * @example
 * ```ts
 * import { EnvelopeBatch } from "@hubbub/hub";
 * import { encodeEnvelope } from "@hubbub/hub/protocol";
 *
 * const payload = { user: "ann", status: true };
 * const frame = new EnvelopeBatch([encodeEnvelope({ type: "typing_status", payload })], { ephemeral: true });
 * console.log(frame.lines); // {"type":"typing_status","payload":{"user":"ann","status":true}}
 * ```
 */
export class EnvelopeBatch {
  /** The envelopes, in order, each as JSON text without a raw line feed. */
  readonly envelopes: readonly string[];
  /** Whether it may be left out for a member that is behind: typing and presence. */
  readonly ephemeral: boolean;
  /** Whether a whole room gets it at once. */
  readonly forMany: boolean;
  /** UTF-16 code units of all of them. */
  readonly length: number;
  #lines: string | undefined;

  /**
   * Makes a frame.
   *
   * @param envelopes At least one envelope as JSON text.
   * @param options Whether a member that is behind may do without it, and whether many get it.
   */
  constructor(
    envelopes: readonly string[],
    options: { readonly ephemeral?: boolean; readonly forMany?: boolean } = {},
  ) {
    this.envelopes = envelopes;
    this.ephemeral = options.ephemeral ?? false;
    this.forMany = options.forMany ?? false;
    let length = 0;
    for (const envelope of envelopes) length += envelope.length + 1;
    this.length = length;
  }

  /** All of it as one text: a frame of the subprotocol `hubbub.v1.lines`. */
  get lines(): string {
    return this.#lines ??= this.envelopes.join("\n");
  }
}
