/**
 * Shape of envelopes from the server.
 *
 * @module
 */

import type { ServerEnvelope } from "../protocol/mod.ts";

/**
 * Tells whether an envelope has what the client relies on. What stands between may change what it
 * passes on, and a frame that makes a client throw would end a whole program.
 *
 * @param envelope The envelope, decoded.
 * @returns True where it can be used.
 */
export function isUsable(envelope: ServerEnvelope): boolean {
  const payload = envelope.payload as Readonly<Record<string, unknown>>;
  switch (envelope.type) {
    case "chat_message":
      return areTexts(payload.id, payload.cursor, payload.user, payload.text);
    case "joined":
      return areTexts(payload.cursor, payload.user) && isList(payload.users) &&
        isList(payload.typing) && areLimits(payload.limits);
    case "presence":
    case "typing_status":
      return areTexts(payload.user);
    case "error":
      return areTexts(payload.code, payload.message);
    case "draining":
    case "pong":
      return true;
  }
}

function areTexts(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === "string");
}

function isList(value: unknown): boolean {
  // Not spread: 100,000 names are more than a call may have arguments.
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function areLimits(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const limits = value as Readonly<Record<string, unknown>>;
  return LIMITS.every((name) => typeof limits[name] === "number");
}

const LIMITS = [
  "text_max_bytes",
  "typing_timeout_ms",
  "messages_per_second",
  "message_burst",
];
