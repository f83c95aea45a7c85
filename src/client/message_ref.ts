/**
 * Refs of messages.
 *
 * @module
 */

/**
 * Draws a ref of 128 random bits, which nobody else can guess.
 *
 * @returns 22 characters of base64url.
 */
export function createRef(): string {
  // Not randomUUID(), which browsers offer to secure origins only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replace("==", "");
}
