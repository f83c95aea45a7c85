/**
 * What a member sends that the server stores.
 *
 * @module
 */

import type { ChangeDraft, Decoded, Draft, Limits, Problem } from "../protocol/mod.ts";
import { decodeDelete, decodeDraft, decodeEdit, decodeReaction } from "../protocol/mod.ts";
import { encodeEnvelope } from "../protocol/mod.ts";
import { createRef } from "./message_ref.ts";

/** A message, or a change of one, on its way to the server. */
export interface Outgoing {
  /** Its name, which makes a repeat one message. */
  readonly ref: string;
  /** The envelope, as JSON. */
  readonly envelope: string;
  /**
   * Tells what is wrong with it by the limits of a server that has told them since.
   *
   * @param limits The limits.
   */
  readonly check: (limits: Limits) => Problem | undefined;
}

/** How a message or a change becomes {@linkcode Outgoing}. */
export interface OutgoingOptions {
  /** The room. */
  readonly room: string;
  /** What the server allows; without, the server is the judge. */
  readonly limits: Limits | undefined;
}

/**
 * Prepares a message.
 *
 * @param draft The message; it gets a ref if it has none.
 * @param options The room, and what it allows.
 * @returns What to send, or what is wrong with it.
 */
export function outgoingMessage(
  { ref = createRef(), ...draft }: Draft,
  { room, limits }: OutgoingOptions,
): Decoded<"outgoing", Outgoing> {
  const decode = (textMaxBytes: number) => decodeDraft({ ...draft, ref }, { textMaxBytes });
  const decoded = decode(limits?.text_max_bytes ?? Infinity);
  if (!decoded.ok) return decoded;
  const envelope = encodeEnvelope({ type: "chat_message", room, payload: decoded.draft });
  return { ok: true, outgoing: { ref, envelope, check: checkOf(decode) } };
}

/**
 * Prepares a change.
 *
 * @param draft The change; it gets a ref if it has none.
 * @param options The room, and what it allows.
 * @returns What to send, or what is wrong with it.
 */
export function outgoingChange(
  { ref = createRef(), ...draft }: ChangeDraft,
  { room, limits }: OutgoingOptions,
): Decoded<"outgoing", Outgoing> {
  const decode = (textMaxBytes: number) => decodeChange({ ...draft, ref }, textMaxBytes);
  const decoded = decode(limits?.text_max_bytes ?? Infinity);
  if (!decoded.ok) return decoded;
  const { kind, ...payload } = decoded.draft;
  const envelope = encodeEnvelope(
    { type: TYPES[kind], room, payload } as Parameters<
      typeof encodeEnvelope
    >[0],
  );
  return { ok: true, outgoing: { ref, envelope, check: checkOf(decode) } };
}

/** The type of a change's envelope. */
const TYPES = { edit: "edit_message", delete: "delete_message", reaction: "react" } as const;

function decodeChange(
  { kind, ...fields }: ChangeDraft,
  textMaxBytes: number,
): Decoded<"draft", ChangeDraft> {
  switch (kind) {
    case "edit":
      return decodeEdit(fields, { textMaxBytes });
    case "delete":
      return decodeDelete(fields);
    case "reaction":
      return decodeReaction(fields);
  }
}

function checkOf(decode: (textMaxBytes: number) => Decoded<"draft", unknown>): Outgoing["check"] {
  return ({ text_max_bytes: textMaxBytes }) => {
    const decoded = decode(textMaxBytes);
    return decoded.ok ? undefined : decoded.error;
  };
}
