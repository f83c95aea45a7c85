/** A text as long as it may be, of which JSON escapes every byte. */
export function longest(): string {
  return "\u0007".repeat(4_000) + Math.random();
}

/** A text as long as it may be. */
export function long(): string {
  return "x".repeat(4_000) + Math.random();
}
