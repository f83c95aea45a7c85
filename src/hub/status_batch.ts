/**
 * Typing and presence as envelopes, in both protocols.
 *
 * @module
 */

import { encodeEnvelope, type PresentUser } from "../protocol/mod.ts";
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
  const present = new Map<string, NetPresence>();
  for (const change of changes) {
    const { kind, user, status } = change;
    if (kind === "typing") {
      typing.push(encodeEnvelope({ type: "typing_status", room, payload: { user, status } }));
    } else present.set(user, follow(present.get(user), change));
  }
  const joined: PresentUser[] = [];
  const left: string[] = [];
  const renamed: PresentUser[] = [];
  for (const [user, { wasHere, isHere, isRenamed, name }] of present) {
    // Who came and left again, or the reverse, is where they were.
    if (isHere && !wasHere) joined.push({ user, name });
    else if (isHere && isRenamed) renamed.push({ user, name });
    else if (wasHere && !isHere) left.push(user);
  }
  if (joined.length + left.length + renamed.length === 0) return typing;
  const payload = { joined, left, ...(renamed.length > 0 && { renamed }) };
  // Who joined and types is here before that is said.
  return [encodeEnvelope({ type: "presence", room, payload }), ...typing];
}

/** What several changes of one user's presence come to. */
interface NetPresence {
  readonly wasHere: boolean;
  readonly isHere: boolean;
  readonly isRenamed: boolean;
  readonly name: string | undefined;
}

function follow(
  before: NetPresence | undefined,
  { status, name, isRename = false }: StatusChange,
): NetPresence {
  if (!before) return { wasHere: isRename || !status, isHere: status, isRenamed: isRename, name };
  // The name of who has left is the last one.
  const isRenamed = before.isRenamed || isRename || (status && before.name !== name);
  return { wasHere: before.wasHere, isHere: status, isRenamed, name };
}

function encodeStatus({ kind, user, status }: StatusChange): string {
  if (kind === "typing") {
    return encodeEnvelope({ type: "typing_status", payload: { user, status } });
  }
  const payload = { user, status: status ? "joined" : "left" } as const;
  return encodeEnvelope({ type: "presence", payload });
}
