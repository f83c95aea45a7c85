/**
 * The wire protocol, version 1: envelopes, names, limits, error codes and close codes.
 *
 * Runs in browsers, Deno and Node alike and imports nothing, so that a client and the server
 * cannot disagree.
 *
 * @example Read what a client sent
 * ```ts
 * import { decodeClientEnvelope } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeClientEnvelope('{"type":"chat_message","payload":{"text":"hello"}}');
 * if (decoded.ok) console.log(decoded.envelope.type);
 * else console.log(decoded.error.code, decoded.error.message);
 * ```
 *
 * @module
 */

/** The subprotocol with one envelope in each text frame; also what is spoken when none is asked for. */
export const PROTOCOL_V1 = "hubbub.v1";

/** The subprotocol with one or more envelopes in each text frame, separated by `\n`. */
export const PROTOCOL_V1_LINES = "hubbub.v1.lines";

/** A subprotocol of this version. */
export type Subprotocol = typeof PROTOCOL_V1 | typeof PROTOCOL_V1_LINES;

/** Messages in the history that a newcomer gets when it asks for no number. */
export const HISTORY_DEFAULT = 10;
/** The most messages that a newcomer may ask for. */
export const HISTORY_MAX = 100;
/** Messages in a page of `GET /rooms/{room}/messages` when no `limit` is given. */
export const PAGE_DEFAULT = 50;
/** The most messages in a page of `GET /rooms/{room}/messages`. */
export const PAGE_MAX = 100;
/** Messages within which a repeated `ref` is recognised. */
export const REPEAT_WINDOW = 256;
/** Milliseconds without a sign of typing after which a user is no longer shown as typing. */
export const TYPING_TIMEOUT_MS = 3000;
/** The longest `ref`, in UTF-16 code units. */
export const REF_MAX_LENGTH = 128;
/** The longest token, in UTF-16 code units. */
export const TOKEN_MAX_LENGTH = 8192;
/** UTF-8 bytes of text in a message where the server sets no other limit. */
export const TEXT_MAX_BYTES_DEFAULT = 4096;
/** UTF-16 code units in a frame from a client; a longer one closes the connection. */
export const FRAME_MAX_LENGTH = 64 * 1024;

/** A stored chat message. */
export interface Message {
  /** Who it is: a ULID. */
  readonly id: string;
  /** Where it stands in the room's log: opaque text that sorts like the log. */
  readonly cursor: string;
  /** The room it was said in. */
  readonly room: string;
  /** Who said it, as the server knows the connection. */
  readonly user: string;
  /** What was said. */
  readonly text: string;
  /** When the server took it: ISO 8601, UTC, milliseconds. */
  readonly sent_at: string;
  /** The sender's own name for it, if it gave one: unique among its messages. */
  readonly ref?: string;
}

/** What a room lets a member do, as told in `joined`. */
export interface Limits {
  /** UTF-8 bytes of text in one message. */
  readonly text_max_bytes: number;
  /** Milliseconds after which typing ends unless it is told again. */
  readonly typing_timeout_ms: number;
  /** Messages a second that a connection may send in the long run; 0 is no limit. */
  readonly messages_per_second: number;
  /** Messages that a connection may send at once. */
  readonly message_burst: number;
}

/** A chat message on its way to the server. */
export interface SendEnvelope {
  /** Which envelope this is. */
  readonly type: "chat_message";
  /** `ref` is echoed in the stored message and makes a repeat recognisable. */
  readonly payload: { readonly text: string; readonly ref?: string };
}

/** A sign of typing (`true`) or its end (`false`) on its way to the server. */
export interface SendTypingEnvelope {
  /** Which envelope this is. */
  readonly type: "typing_status";
  /** Whether the sender is typing. */
  readonly payload: { readonly status: boolean };
}

/** A fresh token on its way to the server, before the one that the connection began with expires. */
export interface AuthenticateEnvelope {
  /** Which envelope this is. */
  readonly type: "authenticate";
  /** A token of the same user. Where it is refused, an `error` says so, and the old one holds. */
  readonly payload: { readonly token: string };
}

/** Asks for a sign of life, from where the pings of WebSocket cannot be sent: in a browser. */
export interface PingEnvelope {
  /** Which envelope this is. */
  readonly type: "ping";
  /** Nothing. */
  readonly payload: Record<string, never>;
}

/** Whatever a client may send. */
export type ClientEnvelope =
  | SendEnvelope
  | SendTypingEnvelope
  | AuthenticateEnvelope
  | PingEnvelope;

/** A stored message, in the history or live. To its sender it is the acknowledgement. */
export interface ChatMessageEnvelope {
  /** Which envelope this is. */
  readonly type: "chat_message";
  /** The message. */
  readonly payload: Message;
}

/** Another user began or stopped typing. */
export interface TypingStatusEnvelope {
  /** Which envelope this is. */
  readonly type: "typing_status";
  /** Who, and whether they are typing now. */
  readonly payload: { readonly user: string; readonly status: boolean };
}

/** The history is complete and everything from here on is live. */
export interface JoinedEnvelope {
  /** Which envelope this is. */
  readonly type: "joined";
  /** Where the member stands and whom it meets. */
  readonly payload: {
    readonly room: string;
    /** The member's own name; empty for one that only reads. */
    readonly user: string;
    /** The place in the log where the member stands, also in an empty room. */
    readonly cursor: string;
    /** False where `after` could not be honoured in full: the history is then the newest part. */
    readonly recovered: boolean;
    /** The users in the room, sorted, the member included. */
    readonly users: readonly string[];
    /** The other users who are typing now. */
    readonly typing: readonly string[];
    readonly limits: Limits;
  };
}

/** A user's first connection came or its last one went. */
export interface PresenceEnvelope {
  /** Which envelope this is. */
  readonly type: "presence";
  /** Who came or went. */
  readonly payload: { readonly user: string; readonly status: "joined" | "left" };
}

/** Something that the client sent, or its stay, met with a problem. */
export interface ErrorEnvelope {
  /** Which envelope this is. */
  readonly type: "error";
  /** What is wrong; `ref` names the message concerned. */
  readonly payload: Problem;
}

/** The server is about to stop: come back, spread out. */
export interface DrainingEnvelope {
  /** Which envelope this is. */
  readonly type: "draining";
  /** Milliseconds to wait before the next try. */
  readonly payload: { readonly reconnect_after_ms: number };
}

/** The sign of life that a `ping` asked for. */
export interface PongEnvelope {
  /** Which envelope this is. */
  readonly type: "pong";
  /** Nothing. */
  readonly payload: Record<string, never>;
}

/** Whatever the server may send. */
export type ServerEnvelope =
  | ChatMessageEnvelope
  | TypingStatusEnvelope
  | JoinedEnvelope
  | PresenceEnvelope
  | ErrorEnvelope
  | DrainingEnvelope
  | PongEnvelope;

/**
 * Every error code: the HTTP status that goes with it, and whether the same request may succeed
 * later (`temporary`) or must be changed first.
 *
 * @example
 * ```ts
 * import { ERRORS } from "@hubbub/hub/protocol";
 *
 * console.log(ERRORS.rate_limited); // { status: 429, temporary: true }
 * ```
 */
export const ERRORS = {
  bad_frame: { status: 400, temporary: false },
  unknown_type: { status: 400, temporary: false },
  bad_text: { status: 400, temporary: false },
  text_too_long: { status: 413, temporary: false },
  bad_ref: { status: 400, temporary: false },
  bad_room: { status: 400, temporary: false },
  bad_user: { status: 400, temporary: false },
  bad_query: { status: 400, temporary: false },
  bad_cursor: { status: 400, temporary: false },
  bad_body: { status: 400, temporary: false },
  bad_handshake: { status: 400, temporary: false },
  unauthorized: { status: 401, temporary: false },
  forbidden: { status: 403, temporary: false },
  not_accepted: { status: 403, temporary: false },
  not_found: { status: 404, temporary: false },
  method_not_allowed: { status: 405, temporary: false },
  body_too_large: { status: 413, temporary: false },
  upgrade_required: { status: 426, temporary: false },
  rate_limited: { status: 429, temporary: true },
  too_many_connections: { status: 429, temporary: true },
  internal: { status: 500, temporary: true },
  not_stored: { status: 503, temporary: true },
  draining: { status: 503, temporary: true },
  unavailable: { status: 503, temporary: true },
} as const satisfies Record<string, { status: number; temporary: boolean }>;

/** The name of an error: a key of {@linkcode ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** What is wrong, for programs (`code`) and for people (`message`). */
export interface Problem {
  /** Which of {@linkcode ERRORS} it is. */
  readonly code: ErrorCode;
  /** What is wrong, in a sentence. */
  readonly message: string;
  /** The `ref` of the message concerned, where it had one. */
  readonly ref?: string;
  /** Milliseconds after which a retry makes sense, where that is known. */
  readonly retry_after_ms?: number;
}

/**
 * Every close code that the server uses and what the client does about it. Codes of 4000–4499
 * ask it to come back, 4500–4999 tell it not to until something changes; the others are those of
 * RFC 6455, section 7.4.1.
 *
 * @example
 * ```ts
 * import { CLOSE_CODES } from "@hubbub/hub/protocol";
 *
 * console.log(CLOSE_CODES.tooSlow); // { code: 4008, reconnect: true }
 * ```
 */
export const CLOSE_CODES = {
  goingAway: { code: 1001, reconnect: true },
  tooBig: { code: 1009, reconnect: false },
  internalError: { code: 1011, reconnect: true },
  draining: { code: 4000, reconnect: true },
  tooSlow: { code: 4008, reconnect: true },
  notAllowed: { code: 4501, reconnect: false },
  tooManyBadFrames: { code: 4509, reconnect: false },
} as const satisfies Record<string, { code: number; reconnect: boolean }>;

/**
 * Tells whether a client should connect again after a close.
 *
 * @param code The close code; 0, 1005 and 1006 (no close frame was seen) count as a lost network.
 * @returns True where the client should reconnect with backoff.
 *
 * @example
 * ```ts
 * import { shouldReconnect } from "@hubbub/hub/protocol";
 *
 * shouldReconnect(4008); // true: it was too slow and may resume
 * shouldReconnect(4501); // false: it is not allowed in
 * ```
 */
export function shouldReconnect(code: number): boolean {
  for (const known of Object.values(CLOSE_CODES)) if (known.code === code) return known.reconnect;
  return code < 4500;
}

/** The outcome of reading something from outside: a value, or what is wrong with it. */
export type Decoded<Key extends string, Value> =
  | ({ readonly ok: true } & { readonly [K in Key]: Value })
  | { readonly ok: false; readonly error: Problem };

/** What {@linkcode decodeClientEnvelope} may be told. */
export interface DecodeOptions {
  /**
   * UTF-8 bytes of text that one message may have.
   *
   * @default {4096}
   */
  readonly textMaxBytes?: number;
}

/**
 * Reads one envelope that a client sent. Never throws. Members of the payload that the protocol
 * does not know are ignored, so that newer clients can talk to older servers.
 *
 * @param text The JSON text of one envelope.
 * @param options The limit on the text of a message.
 * @returns The envelope with nothing but known members, or exactly what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeClientEnvelope } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeClientEnvelope('{"type":"typing_status","payload":{"status":"yes"}}');
 * if (!decoded.ok) console.log(decoded.error.message); // "status" must be true or false
 * ```
 */
export function decodeClientEnvelope(
  text: string,
  options: DecodeOptions = {},
): Decoded<"envelope", ClientEnvelope> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("bad_frame", "The frame is not JSON");
  }
  if (!isObject(value)) return refuse("bad_frame", "An envelope must be a JSON object");
  const { type, payload } = value;
  if (typeof type !== "string") return refuse("bad_frame", '"type" must be a string');
  switch (type) {
    case "chat_message": {
      const decoded = decodeDraft(payload, options);
      return decoded.ok ? { ok: true, envelope: { type, payload: decoded.draft } } : decoded;
    }
    case "typing_status": {
      if (!isObject(payload)) return refuse("bad_frame", '"payload" must be an object');
      const { status } = payload;
      if (typeof status !== "boolean") {
        return refuse("bad_frame", '"status" must be true or false');
      }
      return { ok: true, envelope: { type, payload: { status } } };
    }
    case "authenticate": {
      if (!isObject(payload)) return refuse("bad_frame", '"payload" must be an object');
      const { token } = payload;
      if (typeof token !== "string" || token === "" || token.length > TOKEN_MAX_LENGTH) {
        const message = `"token" must be a string of 1 to ${TOKEN_MAX_LENGTH} characters`;
        return refuse("bad_frame", message);
      }
      return { ok: true, envelope: { type, payload: { token } } };
    }
    case "ping":
      return { ok: true, envelope: { type, payload: {} } };
    default: {
      const message = '"type" must be "chat_message", "typing_status", "authenticate" or "ping"';
      return refuse("unknown_type", message);
    }
  }
}

/** A message before it is stored: what its sender decides about it. */
export interface Draft {
  /** What is said. */
  readonly text: string;
  /** The sender's own name for it. */
  readonly ref?: string;
}

/**
 * Checks `{text, ref?}`, the payload of a `chat_message` to the server and the body of a POST.
 *
 * @param value What came in, as parsed from JSON.
 * @param options The limit on the text.
 * @returns The draft with nothing but known members, or exactly what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeDraft } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeDraft({ text: "hello", ref: "1" });
 * if (decoded.ok) console.log(decoded.draft.text);
 * ```
 */
export function decodeDraft(value: unknown, options: DecodeOptions = {}): Decoded<"draft", Draft> {
  if (!isObject(value)) return refuse("bad_frame", '"payload" must be an object');
  const { text, ref } = value;
  if (ref !== undefined) {
    if (typeof ref !== "string" || ref.length === 0 || ref.length > REF_MAX_LENGTH) {
      return refuse("bad_ref", `"ref" must be a string of 1 to ${REF_MAX_LENGTH} characters`);
    }
    if (!ref.isWellFormed()) return refuse("bad_ref", '"ref" holds a lone surrogate');
  }
  if (typeof text !== "string") return refuse("bad_text", '"text" must be a string', ref);
  if (text.trim() === "") return refuse("bad_text", '"text" is empty', ref);
  if (!text.isWellFormed()) return refuse("bad_text", '"text" holds a lone surrogate', ref);
  const max = options.textMaxBytes ?? TEXT_MAX_BYTES_DEFAULT;
  if (isLongerThan(text, max)) {
    return refuse("text_too_long", `"text" is longer than ${max} bytes of UTF-8`, ref);
  }
  return { ok: true, draft: ref === undefined ? { text } : { text, ref } };
}

/**
 * Reads one envelope that the server sent. Never throws; the payload is taken as the server made it.
 *
 * @param text The JSON text of one envelope: a frame, or one line of it with `hubbub.v1.lines`.
 * @returns The envelope, or what is wrong with it: `unknown_type` for one of a newer server.
 *
 * @example
 * ```ts
 * import { decodeServerEnvelope } from "@hubbub/hub/protocol";
 *
 * const text = '{"type":"typing_status","payload":{"user":"ann","status":true}}';
 * const decoded = decodeServerEnvelope(text);
 * if (decoded.ok && decoded.envelope.type === "typing_status") {
 *   console.log(decoded.envelope.payload.user);
 * }
 * ```
 */
export function decodeServerEnvelope(text: string): Decoded<"envelope", ServerEnvelope> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("bad_frame", "The frame is not JSON");
  }
  if (!isObject(value) || !isObject(value.payload)) {
    return refuse("bad_frame", "An envelope must be a JSON object with a payload");
  }
  switch (value.type) {
    case "chat_message":
    case "typing_status":
    case "joined":
    case "presence":
    case "error":
    case "draining":
    case "pong":
      return { ok: true, envelope: value as unknown as ServerEnvelope };
    default:
      return refuse("unknown_type", "The envelope is of a type that this version does not know");
  }
}

/**
 * Writes an envelope as the text that goes over the wire: one line, without a raw line feed.
 *
 * @param envelope The envelope.
 * @returns Its JSON text.
 *
 * @example
 * ```ts
 * import { encodeEnvelope } from "@hubbub/hub/protocol";
 *
 * encodeEnvelope({ type: "chat_message", payload: { text: "hello", ref: "1" } });
 * ```
 */
export function encodeEnvelope(envelope: ClientEnvelope | ServerEnvelope): string {
  return JSON.stringify(envelope);
}

/**
 * Checks the name of a room: 1 to 64 of letters, digits, `-`, `_` and `.`, but not `.` or `..`.
 *
 * @param name The name, as it came in.
 * @returns The name, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeRoom } from "@hubbub/hub/protocol";
 *
 * decodeRoom("lobby").ok; // true
 * decodeRoom("no spaces").ok; // false
 * ```
 */
export function decodeRoom(name: string): Decoded<"room", string> {
  // "." and ".." have a meaning of their own in URLs: nobody could get there.
  if (!/^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}$/.test(name)) {
    return refuse(
      "bad_room",
      'A room is 1 to 64 of A-Z, a-z, 0-9, "-", "_" and ".", not dots alone',
    );
  }
  return { ok: true, room: name };
}

/**
 * Checks and settles the name of a user: NFC, without white space around it, 1 to 64 characters
 * (code points), none of which is a control character, a line separator, a control of writing
 * direction, or a sign of broken text (a lone surrogate or U+FFFD).
 *
 * @param name The name, as it came in.
 * @returns The name as the room will show it, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeUser } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeUser("  ann ");
 * if (decoded.ok) console.log(decoded.user); // "ann"
 * ```
 */
export function decodeUser(name: string): Decoded<"user", string> {
  // Lone surrogates all become U+FFFD as KV keys and in UTF-8: two users would share one name.
  if (!name.isWellFormed() || name.includes("\ufffd")) {
    return refuse("bad_user", "The user's name is not valid Unicode text");
  }
  const user = name.normalize("NFC").trim();
  if (user === "") return refuse("bad_user", "The user's name is empty");
  if ([...user].length > 64) {
    return refuse("bad_user", "The user's name is longer than 64 characters");
  }
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(user)) {
    return refuse("bad_user", "The user's name holds a control character");
  }
  return { ok: true, user };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLongerThan(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  // A UTF-16 code unit takes at most three bytes of UTF-8, so most texts need no counting.
  if (text.length * 3 <= maxBytes) return false;
  return new TextEncoder().encode(text).length > maxBytes;
}

function refuse(code: ErrorCode, message: string, ref?: unknown): { ok: false; error: Problem } {
  return { ok: false, error: typeof ref === "string" ? { code, message, ref } : { code, message } };
}
