/**
 * The sentences of the page.
 *
 * @module
 */

import type { ConnectionState, MessageChange, RoomMessage } from "../client/mod.ts";

/** The state of a connection in words. */
export interface StatePhrase {
  /** Two or three words, always shown. */
  readonly short: string;
  /** The consequence for the reader, where anything is wrong. */
  readonly long?: string;
}

/** The reason of the client for a connection that ended without a word. */
const LOST = "The connection was lost";
const encoder = new TextEncoder();

/**
 * Describes who is typing.
 *
 * @param users The users, in the order to name them.
 * @returns A sentence without a full stop; empty where nobody is.
 */
export function typingPhrase(users: readonly string[]): string {
  if (users.length === 0) return "";
  const [first, second] = users.map(isolated);
  if (users.length === 1) return `${first} is typing`;
  if (users.length === 2) return `${first} and ${second} are typing`;
  return "several people are typing";
}

/**
 * Describes how many users are in the room.
 *
 * @param count How many.
 * @param isLive Whether they are there now; without a connection they are those who were.
 * @returns A few words.
 */
export function peoplePhrase(count: number, isLive: boolean): string {
  if (count === 0 && !isLive) return "Not connected";
  const people = count === 1 ? "1 person" : `${count.toLocaleString("en")} people`;
  const were = count === 1 ? "was" : "were";
  return isLive ? `${people} here` : `${people} ${were} here`;
}

/**
 * Describes the state of a connection.
 *
 * @param state The connection's state.
 * @param isLasting Whether what is written outlasts the page.
 * @returns The words to show.
 */
export function statePhrase(state: ConnectionState, isLasting = true): StatePhrase {
  switch (state.status) {
    case "connecting":
      return { short: "Connecting…" };
    case "live":
      return { short: "Connected" };
    case "waiting": {
      const { reason } = state;
      const why = reason === "" || reason === LOST ? "The server cannot be reached" : reason;
      const where = isLasting ? "here" : "in this tab, while it is open,";
      return {
        short: "Waiting",
        long: `${sentence(why)} What you write is kept ${where} and sent later.`,
      };
    }
    case "closed":
      return {
        short: "Disconnected",
        long: sentence(state.reason || "The server ended the connection"),
      };
  }
}

/**
 * Describes when the next try is.
 *
 * @param retryAt When it is, in milliseconds by any clock.
 * @param now The present, by the same clock.
 * @returns A sentence.
 */
export function retryPhrase(retryAt: number, now: number): string {
  const seconds = Math.ceil((retryAt - now) / 1000);
  return seconds > 0 ? `Next try in ${seconds} s.` : "Trying now.";
}

/**
 * Describes how much more a message can hold, in what people count.
 *
 * @param text The message.
 * @param limit Bytes of UTF-8 that it may have.
 * @returns A few words once it is nearly full; empty before.
 */
export function roomLeftPhrase(text: string, limit: number): string {
  const bytes = byteLength(text);
  if (bytes <= limit * 0.8) return "";
  const characters = Array.from(text);
  // Of the widest kind that is in it: one more of them will fit in any case.
  const widest = characters.reduce((most, one) => Math.max(most, byteLength(one)), 1);
  if (bytes <= limit) return counted(Math.floor((limit - bytes) / widest), "left");
  let over = 0;
  for (let excess = bytes - limit; excess > 0; over++) excess -= byteLength(characters.pop()!);
  return `Too long by ${counted(over, "")}`;
}

function counted(count: number, what: string): string {
  const unit = count === 1 ? "character" : "characters";
  return `${count.toLocaleString("en")} ${unit} ${what}`.trim();
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/**
 * Describes a change of a message for a screen reader.
 *
 * @param change The change.
 * @param name The name of who made it.
 * @param text The message, shortened.
 * @returns A sentence without a full stop.
 */
export function changePhrase(
  { kind, emoji, status }: MessageChange,
  name: string,
  text: string,
): string {
  if (kind === "edit") return `${name} edited: ${text}`;
  if (kind === "delete") return `${name} deleted a message`;
  return status ? `${name} reacted with ${emoji} to: ${text}` : `${name} took ${emoji} back`;
}

/**
 * Describes how many messages are new.
 *
 * @param count How many; 0 where there is only a way back to the newest.
 * @returns A few words.
 */
export function newMessagesPhrase(count: number): string {
  if (count === 0) return "Newest messages";
  return count === 1 ? "1 new message" : `${count.toLocaleString("en")} new messages`;
}

/**
 * Describes what is unread in a room.
 *
 * @param count Messages.
 * @param mentions Those of them that mention the reader.
 * @returns A few words.
 */
export function unreadPhrase(count: number, mentions: number): string {
  const number = count >= 100 ? "more than 99" : String(count);
  if (mentions === 0) return `${number} unread`;
  return `${number} unread, ${mentions === 1 ? "1 mention" : `${mentions} mentions`}`;
}

/**
 * Shortens the last message of a room to a line.
 *
 * @param message The message.
 * @returns Who said what.
 */
export function lastLinePhrase({ user, name = user, text }: RoomMessage): string {
  return `${isolated(name)}: ${text.slice(0, 120).replace(/\s+/g, " ").toWellFormed()}`;
}

/**
 * Ends a text as a sentence.
 *
 * @param text The text, with or without a full stop.
 * @returns The text with one.
 */
export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/**
 * Keeps a name that may run from right to left from changing the order of the words around it, by
 * the isolates of Unicode (UAX #9). One of ASCII alone stays as it is.
 */
function isolated(name: string): string {
  return /^\p{ASCII}*$/u.test(name) ? name : `\u2068${name}\u2069`;
}
