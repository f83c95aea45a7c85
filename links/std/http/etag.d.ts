// Types of the part of @std/http/etag 1.x that this project uses.

export interface ETagOptions {
  algorithm?: AlgorithmIdentifier;
  weak?: boolean;
}
export declare function eTag(
  entity: string | Uint8Array,
  options?: ETagOptions,
): Promise<string>;
export declare function ifNoneMatch(
  value: string | null,
  etag: string | undefined,
): boolean;
