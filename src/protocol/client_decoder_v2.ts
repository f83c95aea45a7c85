/**
 * Decoding of envelopes from a client, version 2.
 *
 * @module
 */

import { decodeDelete, decodeEdit, decodeReaction } from "./change.ts";
import type { ClientEnvelopeV2 } from "./client_envelope_v2.ts";
import { isObject } from "./decoded.ts";
import { CURSOR_MAX_LENGTH, HISTORY_MAX, REF_MAX_LENGTH, TOKEN_MAX_LENGTH } from "./limits.ts";
import { decodeDraft } from "./message.ts";
import { decodeCursor, type DecodeOptions } from "./message_fields.ts";
import { decodeRoom } from "./names.ts";
import type { ErrorCode, ProblemV2 } from "./problem.ts";
import { isTextWithin } from "./text_length.ts";

/** The result of {@linkcode decodeClientEnvelopeV2}. */
export type DecodedClientEnvelopeV2 =
  | { readonly ok: true; readonly envelope: ClientEnvelopeV2 }
  | {
    readonly ok: false;
    /** What is wrong, and with what. */
    readonly error: ProblemV2;
    /** The room, where the envelope names one. */
    readonly room?: string;
  };

/** The longest type that an error repeats. */
const TYPE_MAX_LENGTH = 64;

/** The fields of each type's payload; types in `ROOMLESS` concern no room. */
const PAYLOAD_FIELDS: Readonly<Record<ClientEnvelopeV2["type"], readonly string[]>> = {
  join: ["after", "history", "presence"],
  leave: [],
  chat_message: ["text", "ref", "data", "reply_to"],
  edit_message: ["cursor", "text", "data", "ref"],
  delete_message: ["cursor", "ref"],
  react: ["cursor", "emoji", "status", "ref"],
  typing_status: ["status"],
  read: ["cursor"],
  authenticate: ["token"],
  ping: [],
};
const ROOMLESS: ReadonlySet<string> = new Set(["authenticate", "ping"]);
/** Types whose payload has a field that must be there. */
const PAYLOAD_REQUIRED: ReadonlySet<string> = new Set([
  "chat_message",
  "edit_message",
  "delete_message",
  "react",
  "typing_status",
  "read",
  "authenticate",
]);
/** Types whose payload may have a `ref`, which an error repeats. */
const WITH_REF: ReadonlySet<string> = new Set([
  "chat_message",
  "edit_message",
  "delete_message",
  "react",
]);
/** How the changes of messages are decoded. */
const CHANGES = {
  edit_message: decodeEdit,
  delete_message: decodeDelete,
  react: decodeReaction,
} as const;
const TYPES = Object.keys(PAYLOAD_FIELDS).map((type) => `"${type}"`);

/**
 * Decodes an envelope from a client, version 2. Never throws. A field that the protocol does not
 * know is refused with `unknown_field`, so that nothing that is sent vanishes without a word.
 *
 * @param text The JSON text of one envelope: one line of a frame.
 * @param options The limit on the text of a message.
 * @returns The envelope, with a `payload` also where it was left out, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeClientEnvelopeV2 } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeClientEnvelopeV2('{"type":"join","room":"lobby","payload":{"since":7}}');
 * if (!decoded.ok) console.log(decoded.error.code, decoded.room); // unknown_field lobby
 * ```
 */
export function decodeClientEnvelopeV2(
  text: string,
  options: DecodeOptions = {},
): DecodedClientEnvelopeV2 {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("bad_frame", "The frame is not JSON", {});
  }
  if (!isObject(value)) return refuse("bad_frame", "An envelope must be a JSON object", {});
  const { type, room } = value;
  if (typeof type !== "string") return refuse("bad_frame", '"type" must be a string', value);
  if (!isKnown(type)) {
    return refuse("unknown_type", `"type" must be one of ${TYPES.join(", ")}`, value);
  }
  const hasRoom = !ROOMLESS.has(type);
  const stray = fieldBeside(value, hasRoom ? ["type", "room", "payload"] : ["type", "payload"]);
  if (stray !== undefined) {
    return refuse("unknown_field", `An envelope "${type}" has no field ${stray}`, value);
  }
  const { payload = PAYLOAD_REQUIRED.has(type) ? undefined : {} } = value;
  if (!isObject(payload)) return refuse("bad_frame", '"payload" must be an object', value);
  const strayInPayload = fieldBeside(payload, PAYLOAD_FIELDS[type]);
  if (strayInPayload !== undefined) {
    return refuse("unknown_field", `"payload" of "${type}" has no field ${strayInPayload}`, value);
  }
  if (!hasRoom) return decodeRoomless(type, payload, value);
  if (typeof room !== "string") return refuse("bad_room", '"room" must be a string', value);
  const decodedRoom = decodeRoom(room);
  if (!decodedRoom.ok) return refuse("bad_room", decodedRoom.error.message, value);
  switch (type) {
    case "join":
      return decodeJoin(room, payload, value);
    case "chat_message": {
      const decoded = decodeDraft(payload, options);
      if (!decoded.ok) return refuse(decoded.error.code, decoded.error.message, value);
      return { ok: true, envelope: { type, room, payload: decoded.draft } };
    }
    case "edit_message":
    case "delete_message":
    case "react": {
      const decoded = CHANGES[type](payload, options);
      if (!decoded.ok) return refuse(decoded.error.code, decoded.error.message, value);
      const { kind: _, ...draft } = decoded.draft;
      return { ok: true, envelope: { type, room, payload: draft } as ClientEnvelopeV2 };
    }
    case "typing_status": {
      const { status } = payload;
      if (typeof status !== "boolean") {
        return refuse("bad_frame", '"status" must be true or false', value);
      }
      return { ok: true, envelope: { type, room, payload: { status } } };
    }
    case "read": {
      const decoded = decodeCursor(payload.cursor, "cursor");
      if (!decoded.ok) return refuse(decoded.error.code, decoded.error.message, value);
      return { ok: true, envelope: { type, room, payload: { cursor: decoded.cursor } } };
    }
    default:
      return { ok: true, envelope: { type: "leave", room, payload: {} } };
  }
}

function isKnown(type: string): type is ClientEnvelopeV2["type"] {
  return Object.hasOwn(PAYLOAD_FIELDS, type);
}

function decodeJoin(
  room: string,
  payload: Record<string, unknown>,
  envelope: Record<string, unknown>,
): DecodedClientEnvelopeV2 {
  const { after, history, presence } = payload;
  if (after !== undefined) {
    if (!isTextWithin(after, CURSOR_MAX_LENGTH)) {
      const message = `"after" must be a cursor: a string of 1 to ${CURSOR_MAX_LENGTH} characters`;
      return refuse("bad_cursor", message, envelope);
    }
  }
  if (history !== undefined && !isWholeNumber(history, HISTORY_MAX)) {
    const message = `"history" must be a whole number from 0 to ${HISTORY_MAX}`;
    return refuse("bad_frame", message, envelope);
  }
  if (presence !== undefined && typeof presence !== "boolean") {
    return refuse("bad_frame", '"presence" must be true or false', envelope);
  }
  return { ok: true, envelope: { type: "join", room, payload: { after, history, presence } } };
}

function decodeRoomless(
  type: string,
  { token }: Record<string, unknown>,
  envelope: Record<string, unknown>,
): DecodedClientEnvelopeV2 {
  if (type === "ping") return { ok: true, envelope: { type, payload: {} } };
  if (!isTextWithin(token, TOKEN_MAX_LENGTH)) {
    const message = `"token" must be a string of 1 to ${TOKEN_MAX_LENGTH} characters`;
    return refuse("bad_frame", message, envelope);
  }
  return { ok: true, envelope: { type: "authenticate", payload: { token } } };
}

function isWholeNumber(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max;
}

/** Finds the first field that is not a known one, as a message shows it. */
function fieldBeside(
  value: Record<string, unknown>,
  known: readonly string[],
): string | undefined {
  for (const name in value) {
    if (!known.includes(name)) return JSON.stringify(name.slice(0, TYPE_MAX_LENGTH).toWellFormed());
  }
  return undefined;
}

/** Creates a failed result that says which envelope it was, as far as that can be read. */
function refuse(
  code: ErrorCode,
  message: string,
  { type, room, payload }: Record<string, unknown>,
): DecodedClientEnvelopeV2 {
  const isLegible = typeof type === "string" && type.length <= TYPE_MAX_LENGTH;
  const ref = isLegible && WITH_REF.has(type) && isObject(payload) ? payload.ref : undefined;
  const hasRef = isTextWithin(ref, REF_MAX_LENGTH) && ref.isWellFormed();
  const error: ProblemV2 = {
    code,
    message,
    ...(isLegible && { for: type.toWellFormed() }),
    ...(hasRef && { ref }),
  };
  const isRoom = typeof room === "string" && decodeRoom(room).ok;
  return isRoom ? { ok: false, error, room } : { ok: false, error };
}
