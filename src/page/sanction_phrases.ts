/**
 * The sentences about those who are muted, banned or put out.
 *
 * @module
 */

import type { ChatError, Muted, Sanction, SanctionKind } from "../client/mod.ts";
import { clockTime, dayKey, dayName } from "./calendar.ts";
import { sentence, type StatePhrase } from "./phrases.ts";

/** What can be done to a person, in a word for a button. */
export const DEEDS: Readonly<Record<SanctionKind, string>> = {
  mute: "Mute",
  kick: "Put out",
  ban: "Ban",
};

/** What was done to a person. */
const DONE: Readonly<Record<SanctionKind, string>> = {
  mute: "is muted",
  kick: "was put out of the room",
  ban: "is banned",
};

/**
 * Describes when something ends.
 *
 * @param until When, in milliseconds since the epoch.
 * @param now The present.
 * @returns Such as `14:05`, or `Monday, 23 November, 14:05`.
 */
export function untilPhrase(until: number, now: Date): string {
  const end = new Date(until);
  const time = clockTime(end);
  return dayKey(end) === dayKey(now) ? time : `${dayName(end, now)}, ${time}`;
}

/**
 * Says to somebody who is muted why, and until when.
 *
 * @param muted What the hub said.
 * @param now The present.
 * @returns Two sentences.
 */
export function mutedPhrase({ message, until }: Muted, now: Date): string {
  const end = until === undefined
    ? "until a moderator lifts it"
    : `until ${untilPhrase(until, now)}`;
  return `${sentence(message)} You can read on, but not write, ${end}.`;
}

/**
 * Says what was done to a person, to the moderator who did it.
 *
 * @param name The person's name.
 * @param kind What was done.
 * @returns A sentence without a full stop.
 */
export function donePhrase(name: string, kind: SanctionKind): string {
  return `${name} ${DONE[kind]}`;
}

/**
 * Describes a sanction that holds.
 *
 * @param sanction The sanction.
 * @param nameOf Gives the name to show for a user.
 * @param now The present.
 * @returns Such as `Muted until 14:05 by ann: Calm down`.
 */
export function heldPhrase(
  { kind, by, until, reason }: Sanction,
  nameOf: (user: string) => string,
  now: Date,
): string {
  const what = kind === "mute" ? "Muted" : "Banned";
  const end = until === undefined ? "" : ` until ${untilPhrase(until, now)}`;
  const who = by === undefined ? "an operator" : nameOf(by);
  return `${what}${end} by ${who}${reason ? `: ${reason}` : ""}`;
}

/** What is said to somebody who has to be out of a room. */
export interface PutOutPhrase extends Required<StatePhrase> {
  /** What the button says that tries again, where that makes sense. */
  readonly again?: string;
}

/**
 * Says to somebody who is put out of a room why, and what to do.
 *
 * @param error Why the hub wants them there no longer.
 * @returns The words; undefined for another reason than that.
 */
export function putOutPhrase({ code, message }: ChatError): PutOutPhrase | undefined {
  const why = sentence(message);
  switch (code) {
    case "kicked":
      return { short: "Put out", long: `${why} You may come back.`, again: "Come in again" };
    case "banned":
      return {
        short: "Banned",
        long: `${why} A moderator of the room can lift that. Other rooms are open to you.`,
        again: "Try again",
      };
    case "room_deleted":
      return {
        short: "Deleted",
        long: `${why} What was said in it is gone. Who comes in again opens a new room.`,
        again: "Open a new room",
      };
    default:
      return undefined;
  }
}
