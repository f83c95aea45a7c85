/**
 * The messages between isolates.
 *
 * @module
 */

import { isCommit } from "../store/cursor.ts";

/** Announces messages that were delivered in a room: those of the log between two cursors. */
export interface MessagesDelivered {
  /** Which cluster message this is. */
  readonly kind: "messages";
  /** The id of the isolate that sends it. */
  readonly from: string;
  /** The room. */
  readonly room: string;
  /** Where the sender stood before. */
  readonly prev: string;
  /** Where the sender stands now. */
  readonly cursor: string;
  /** The envelopes between the two; none where reading the log is cheaper than sending them. */
  readonly lines: readonly string[];
  /** For each of the lines, the hash of what its sender sent; null where it has no `ref`. */
  readonly hashes?: readonly (number | null)[];
}

/** Announces that a user began or stopped typing on an isolate, or still is. */
export interface TypingChange {
  /** Which cluster message this is. */
  readonly kind: "typing";
  /** The id of the isolate that sends it. */
  readonly from: string;
  /** The room. */
  readonly room: string;
  /** The user. */
  readonly user: string;
  /** Whether the user is typing. */
  readonly status: boolean;
}

/** Announces that a user's first connection to an isolate came into a room, or the last one went. */
export interface PresenceChange {
  /** Which cluster message this is. */
  readonly kind: "presence";
  /** The id of the isolate that sends it. */
  readonly from: string;
  /** The room. */
  readonly room: string;
  /** The revision of the isolate's users in the room before this change. */
  readonly prev: number;
  /** Their revision from now on: greater than all that the isolate has used, in any room. */
  readonly revision: number;
  /** The user. */
  readonly user: string;
  /** Whether the user is there now: also where only the name or the role has changed. */
  readonly status: boolean;
  /** The user's display name, if there is one. */
  readonly name?: string;
  /** Whether the user is a moderator of the room there. @default {false} */
  readonly isModerator?: boolean;
}

/** All users that are connected to an isolate in a room. */
export interface PresenceSnapshot {
  /** Which cluster message this is. */
  readonly kind: "presence_snapshot";
  /** The id of the isolate that sends it. */
  readonly from: string;
  /** The room. */
  readonly room: string;
  /** Their revision. */
  readonly revision: number;
  /** The users, or some of them. */
  readonly users: readonly string[];
  /** The display name of each of them, or null; left out where none has one. */
  readonly names?: readonly (string | null)[];
  /** Whether each of them is a moderator of the room; left out where none is. */
  readonly moderators?: readonly boolean[];
  /** Which piece of the snapshot it is, from 0. */
  readonly part: number;
  /** How many pieces there are. */
  readonly parts: number;
}

/** The heartbeat of an isolate. */
export interface Heartbeat {
  /** Which cluster message this is. */
  readonly kind: "heartbeat";
  /** The id of the isolate that sends it. */
  readonly from: string;
  /** The last revision that it has used; 0 where nobody was ever connected to it. */
  readonly revision: number;
  /** Revisions of rooms that changed lately: who knows an older one has missed a change. */
  readonly rooms: readonly (readonly [room: string, revision: number])[];
  /** Whether the others are to answer with a heartbeat at once. */
  readonly asks: boolean;
}

/** Asks for the users of a room that are connected elsewhere. */
export interface PresenceRequest {
  /** Which cluster message this is. */
  readonly kind: "presence_request";
  /** The id of the isolate that sends it. */
  readonly from: string;
  /** The room, which it has open. */
  readonly room: string;
  /** The revision of its own users there: who knows an older one has missed a change. */
  readonly revision: number;
  /** By isolate, the revision that it knows: who has used a greater one answers. */
  readonly known: readonly (readonly [isolate: string, revision: number])[];
  /** Whether it has just opened the room: nobody is connected to it there. */
  readonly isOpening: boolean;
  /** The only isolate that is asked; all of them where it is left out. */
  readonly of?: string;
}

/** Announces that a user has read a room on. */
export interface ReadChange {
  /** Which cluster message this is. */
  readonly kind: "read";
  /** The id of the isolate that sends it. */
  readonly from: string;
  /** The room. */
  readonly room: string;
  /** The user. */
  readonly user: string;
  /** The commit up to which it was read. */
  readonly mark: string;
}

/** Announces that an isolate stops and that its users are gone. */
export interface Shutdown {
  /** Which cluster message this is. */
  readonly kind: "shutdown";
  /** The id of the isolate that sends it. */
  readonly from: string;
}

/** A message between isolates: plain JSON values. */
export type ClusterMessage =
  | MessagesDelivered
  | TypingChange
  | PresenceChange
  | PresenceSnapshot
  | Heartbeat
  | PresenceRequest
  | ReadChange
  | Shutdown;

/**
 * Checks the shape of what a fan-out delivered. Never throws.
 *
 * @param value Anything.
 * @returns The message, or undefined where it is none that this version knows.
 *
 * @example
 * ```ts
 * import { decodeClusterMessage } from "./cluster_message.ts";
 *
 * console.log(decodeClusterMessage({ kind: "shutdown", from: "an isolate" })?.kind); // shutdown
 * console.log(decodeClusterMessage({ kind: "shutdown" })); // undefined
 * ```
 */
export function decodeClusterMessage(value: unknown): ClusterMessage | undefined {
  if (!isObject(value) || !isText(value.from) || !isKind(value.kind)) return undefined;
  return CHECKS[value.kind](value) ? value as unknown as ClusterMessage : undefined;
}

type Fields = Record<string, unknown>;

const CHECKS: { readonly [Kind in ClusterMessage["kind"]]: (value: Fields) => boolean } = {
  messages: ({ room, prev, cursor, lines, hashes }) =>
    isText(room) && isText(prev) && isText(cursor) && isTexts(lines) &&
    (hashes === undefined ||
      Array.isArray(hashes) && hashes.every((hash) => hash === null || isCount(hash))),
  typing: ({ room, user, status }) => isText(room) && isText(user) && isFlag(status),
  presence: ({ prev, revision, room, user, status, name, isModerator = false }) =>
    isCount(prev) && isCount(revision) && isText(room) && isText(user) && isFlag(status) &&
    (name === undefined || isText(name)) && isFlag(isModerator),
  presence_snapshot: ({ revision, room, users, names, moderators, part, parts }) =>
    isCount(revision) && isText(room) && isTexts(users) && isCount(part) && isCount(parts) &&
    part < parts && (names === undefined || isNames(names, users.length)) &&
    (moderators === undefined || isFlags(moderators, users.length)),
  heartbeat: ({ revision, rooms, asks }) =>
    isCount(revision) && isRevisions(rooms) && typeof asks === "boolean",
  presence_request: ({ room, revision, known, isOpening, of }) =>
    isText(room) && isCount(revision) && isRevisions(known) && typeof isOpening === "boolean" &&
    (of === undefined || isText(of)),
  read: ({ room, user, mark }) => isText(room) && isText(user) && isText(mark) && isCommit(mark),
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

function isNames(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length &&
    value.every((name) => name === null || isText(name));
}

function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isFlags(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length && value.every(isFlag);
}

function isRevisions(value: unknown): boolean {
  return Array.isArray(value) &&
    value.every((row) => Array.isArray(row) && isText(row[0]) && isCount(row[1]));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
