/**
 * A file of `src/page/assets.json` over HTTP: compressed, and sent once while it is the same.
 *
 * @module
 */

import { eTag, ifNoneMatch } from "@std/http/etag";
import { readHeader } from "../access/request_header.ts";
import { chooseCoding } from "./content_coding.ts";

/** A file as `assets.json` holds it. */
export interface StoredFile {
  /** The media type, with the character set. */
  readonly type: string;
  /** The content, where it is text. */
  readonly text?: string;
  /** The content in base64, where it is not text. */
  readonly base64?: string;
  /** The text compressed with gzip, in base64. */
  readonly gzip?: string;
  /** The text compressed with Brotli, in base64. */
  readonly brotli?: string;
}

/** A file in the content codings that it can be sent in. */
export class StaticFile {
  readonly #type: string;
  /** Bytes by content coding; `identity` is the file itself. */
  readonly #bodies = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #offered: readonly string[];
  readonly #tags = new Map<string, Promise<string>>();

  /** @param file The file as it is stored. */
  constructor({ type, text, base64, gzip, brotli }: StoredFile) {
    this.#type = type;
    if (brotli !== undefined) this.#bodies.set("br", bytesOf(brotli));
    if (gzip !== undefined) this.#bodies.set("gzip", bytesOf(gzip));
    this.#offered = [...this.#bodies.keys()];
    const plain = text === undefined ? bytesOf(base64 ?? "") : new TextEncoder().encode(text);
    this.#bodies.set("identity", plain);
  }

  /**
   * Answers a request for the file.
   *
   * @param request The request; its `Accept-Encoding` chooses the coding.
   * @param more Headers besides those of the content.
   * @returns The file, or 304 where the client has it already.
   */
  async respond(request: Request, more: Readonly<Record<string, string>>): Promise<Response> {
    const coding = chooseCoding(readHeader(request.headers, "accept-encoding"), this.#offered);
    const body = this.#bodies.get(coding)!;
    let tag = this.#tags.get(coding);
    if (!tag) this.#tags.set(coding, tag = eTag(body).then((tag) => tag!));
    const etag = await tag;
    const headers: Record<string, string> = { ...more, vary: "accept-encoding", etag };
    const isNew = ifNoneMatch(readHeader(request.headers, "if-none-match"), etag);
    if (!isNew) return new Response(null, { status: 304, headers });
    if (coding !== "identity") headers["content-encoding"] = coding;
    return new Response(body, { headers: { ...headers, "content-type": this.#type } });
  }
}

/** Not `Uint8Array.fromBase64()`, which Deno 2.5 does not have. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
