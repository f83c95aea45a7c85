/**
 * What isolates tell each other.
 *
 * @module
 */

/** Messages were delivered in a room: those of the log between two cursors. */
export interface MessagesDelivered {
  /** Which packet this is. */
  readonly kind: "messages";
  /** The isolate that posts it. */
  readonly from: string;
  /** The room. */
  readonly room: string;
  /** Where the poster stood before. */
  readonly prev: string;
  /** Where it stands now. */
  readonly cursor: string;
  /** The envelopes between the two; none where reading the log is cheaper than sending them. */
  readonly lines: readonly string[];
}

/** A user began or stopped typing on an isolate, or still is. */
export interface TypingChange {
  /** Which packet this is. */
  readonly kind: "typing";
  /** The isolate that posts it. */
  readonly from: string;
  /** The room. */
  readonly room: string;
  /** Who. */
  readonly user: string;
  /** Whether they are typing. */
  readonly status: boolean;
}

/** A user's first connection to an isolate came, or the last one went. */
export interface PresenceChange {
  /** Which packet this is. */
  readonly kind: "presence";
  /** The isolate that posts it. */
  readonly from: string;
  /** How many such changes the isolate has seen, this one included. */
  readonly revision: number;
  /** The room. */
  readonly room: string;
  /** Who. */
  readonly user: string;
  /** Whether they are there now. */
  readonly status: boolean;
}

/** Everybody who is connected to an isolate. */
export interface PresenceSnapshot {
  /** Which packet this is. */
  readonly kind: "presence_snapshot";
  /** The isolate that posts it. */
  readonly from: string;
  /** How many changes it has seen. */
  readonly revision: number;
  /** By room, who is there. */
  readonly rooms: readonly (readonly [room: string, users: readonly string[]])[];
}

/** An isolate is still there. */
export interface Heartbeat {
  /** Which packet this is. */
  readonly kind: "heartbeat";
  /** The isolate that posts it. */
  readonly from: string;
  /** How many changes of presence it has seen: whoever knows fewer has missed some. */
  readonly revision: number;
}

/** An isolate wants to know who is connected to another. */
export interface PresenceRequest {
  /** Which packet this is. */
  readonly kind: "presence_request";
  /** The isolate that posts it. */
  readonly from: string;
  /** Whom it asks; all where it is left out. */
  readonly of?: string;
}

/** An isolate stops, and its members are gone. */
export interface Shutdown {
  /** Which packet this is. */
  readonly kind: "shutdown";
  /** The isolate that posts it. */
  readonly from: string;
}

/** What isolates tell each other. Plain JSON values. */
export type ClusterMessage =
  | MessagesDelivered
  | TypingChange
  | PresenceChange
  | PresenceSnapshot
  | Heartbeat
  | PresenceRequest
  | Shutdown;

/**
 * Checks the shape of what a fan-out brought.
 *
 * @param value Whatever came in.
 * @returns The packet, or undefined where it is none that this version knows.
 *
 * @example
 * ```ts
 * import { decodeClusterMessage } from "./cluster_message.ts";
 *
 * console.log(decodeClusterMessage({ kind: "shutdown", from: "an isolate" })?.kind); // bye
 * console.log(decodeClusterMessage({ kind: "shutdown" })); // undefined
 * ```
 */
export function decodeClusterMessage(value: unknown): ClusterMessage | undefined {
  if (!isObject(value) || !isText(value.from) || !isKind(value.kind)) return undefined;
  return CHECKS[value.kind](value) ? value as unknown as ClusterMessage : undefined;
}

type Fields = Record<string, unknown>;

const CHECKS: { readonly [Kind in ClusterMessage["kind"]]: (value: Fields) => boolean } = {
  messages: ({ room, prev, cursor, lines }) =>
    isText(room) && isText(prev) && isText(cursor) && isTexts(lines),
  typing: ({ room, user, status }) => isText(room) && isText(user) && typeof status === "boolean",
  presence: ({ revision, room, user, status }) =>
    isCount(revision) && isText(room) && isText(user) && typeof status === "boolean",
  presence_snapshot: ({ revision, rooms }) =>
    isCount(revision) && Array.isArray(rooms) &&
    rooms.every((row) => Array.isArray(row) && isText(row[0]) && isTexts(row[1])),
  heartbeat: ({ revision }) => isCount(revision),
  presence_request: ({ of }) => of === undefined || isText(of),
  shutdown: () => true,
};

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isKind(value: unknown): value is ClusterMessage["kind"] {
  // What every object has, such as "constructor", is no kind.
  return isText(value) && Object.hasOwn(CHECKS, value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
