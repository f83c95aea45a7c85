/**
 * Typing and presence as envelopes, in both protocols.
 *
 * @module
 */

import { encodeEnvelope } from "../protocol/mod.ts";
import { EnvelopeBatch, type StatusChange } from "./envelope_batch.ts";

/**
 * Makes a batch of changes of typing or presence.
 *
 * @param room The name of the room.
 * @param changes The changes, at least one, all of one kind.
 * @param options Whether a whole room gets it at once.
 * @returns The batch; each protocol is encoded where a member reads it.
 *
 * @example
 * ```ts
 * import { statusBatch } from "./status_batch.ts";
 *
 * const batch = statusBatch("lobby", [{ kind: "typing", user: "ann", status: true }]);
 * console.log(batch.lines); // {"type":"typing_status","payload":{"user":"ann","status":true}}
 * console.log(batch.linesV2()); // {"type":"typing_status","room":"lobby","payload":{…}}
 * ```
 */
export function statusBatch(
  room: string,
  changes: readonly StatusChange[],
  options: { readonly forMany?: boolean } = {},
): EnvelopeBatch {
  return new EnvelopeBatch(() => changes.map(encodeStatus), {
    changes,
    forMany: options.forMany,
    v2: { encode: () => encodeStatusesV2(room, changes) },
  });
}

/**
 * Encodes changes of typing and presence in protocol 2.
 *
 * @param room The name of the room.
 * @param changes The changes, in their order; those of one user and kind alternate.
 * @returns An envelope for the net changes of presence, and one for each change of typing.
 */
export function encodeStatusesV2(room: string, changes: readonly StatusChange[]): string[] {
  const typing: string[] = [];
  const present = new Map<string, boolean>();
  for (const { kind, user, status } of changes) {
    if (kind === "typing") {
      typing.push(encodeEnvelope({ type: "typing_status", room, payload: { user, status } }));
      // Who came and left again, or the reverse, is where they were.
    } else if (!present.delete(user)) present.set(user, status);
  }
  if (present.size === 0) return typing;
  const joined: { user: string }[] = [];
  const left: string[] = [];
  for (const [user, status] of present) {
    if (status) joined.push({ user });
    else left.push(user);
  }
  // Who joined and types is here before that is said.
  return [encodeEnvelope({ type: "presence", room, payload: { joined, left } }), ...typing];
}

function encodeStatus({ kind, user, status }: StatusChange): string {
  if (kind === "typing") {
    return encodeEnvelope({ type: "typing_status", payload: { user, status } });
  }
  const payload = { user, status: status ? "joined" : "left" } as const;
  return encodeEnvelope({ type: "presence", payload });
}
