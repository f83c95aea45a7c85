/**
 * Cluster messages that fit into what a fan-out takes.
 *
 * @module
 */

import type { ClusterMessage, MessagesDelivered, PresenceSnapshot } from "./cluster_message.ts";

/** The most bytes of JSON in UTF-8 that a UTF-16 code unit takes: `\\u0000`. */
const BYTES_PER_UNIT = 6;
/** More bytes than anything but texts and lists takes in a message, with the names in it. */
const FRAME_BYTES = 2_048;
/** Bytes that one of the hashes takes, with its comma. */
const HASH_BYTES = 11;
/** Bytes that `false` takes, with its comma. */
const FLAG_BYTES = 6;

const encoder = new TextEncoder();

/**
 * Cuts a message into pieces that fit, or leaves out of it what the others can find out by
 * themselves: lines that the log holds, revisions that a later message brings.
 *
 * @param message The message.
 * @param maxBytes The longest that fits, in bytes of JSON in UTF-8.
 * @returns The message as it is where it fits; what nothing can be left out of is returned as it is,
 * too.
 *
 * @example
 * ```ts
 * import { fittingMessages } from "./fitting_messages.ts";
 *
 * const users = ["ann", "bob", "cid"];
 * const snapshot = { room: "lobby", revision: 3, users, part: 0, parts: 1 };
 * const message = { kind: "presence_snapshot", from: "an isolate", ...snapshot } as const;
 * console.log(fittingMessages(message, 1_000).length); // 1
 * console.log(fittingMessages(message, 130).length); // 3
 * ```
 */
export function fittingMessages(
  message: ClusterMessage,
  maxBytes: number,
): readonly ClusterMessage[] {
  if (maxBytes === Infinity) return [message];
  switch (message.kind) {
    case "messages":
      if (boundOf(message) <= maxBytes || sizeOf(message) <= maxBytes) return [message];
      return [{ ...message, lines: [], hashes: [] }];
    case "presence_snapshot":
      return sizeOf(message) <= maxBytes ? [message] : cut(message, maxBytes);
    case "presence_request":
      return sizeOf(message) <= maxBytes ? [message] : [{ ...message, known: [] }];
    case "heartbeat":
      return sizeOf(message) <= maxBytes ? [message] : [{ ...message, rooms: [] }];
    default:
      return [message];
  }
}

/** A number of bytes that is not exceeded, without encoding anything. */
function boundOf({ lines, hashes = [] }: MessagesDelivered): number {
  const units = lines.reduce((sum, line) => sum + line.length + 1, 0);
  return FRAME_BYTES + units * BYTES_PER_UNIT + hashes.length * HASH_BYTES;
}

function sizeOf(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).length;
}

function cut(message: PresenceSnapshot, maxBytes: number): PresenceSnapshot[] {
  const count = Number.MAX_SAFE_INTEGER;
  const { users, names, moderators } = message;
  const rows = { ...(names && { names: [] }), ...(moderators && { moderators: [] }) };
  const empty = { ...message, users: [], ...rows };
  const room = maxBytes - sizeOf({ ...empty, part: count, parts: count });
  /** Where each piece begins. */
  const starts = [0];
  let left = room;
  users.forEach((user, index) => {
    const size = sizeOf(user) + 1 + (names ? sizeOf(names[index]) + 1 : 0) +
      (moderators ? FLAG_BYTES : 0);
    if (size > left && index > starts[starts.length - 1]) {
      starts.push(index);
      left = room;
    }
    left -= size;
  });
  return starts.map((start, part) => {
    const end = starts[part + 1];
    const piece = {
      users: users.slice(start, end),
      ...(names && { names: names.slice(start, end) }),
      ...(moderators && { moderators: moderators.slice(start, end) }),
    };
    return { ...message, ...piece, part, parts: starts.length };
  });
}
