/**
 * What the page says in words.
 *
 * @module
 */

import type { ConnectionState } from "../client/mod.ts";

/** How a connection is, in words. */
export interface StatePhrase {
  /** In two or three words, always shown. */
  readonly short: string;
  /** What it means for the reader, where anything is wrong. */
  readonly long?: string;
}

/**
 * Says who is typing.
 *
 * @param users The users, in the order to name them.
 * @returns A sentence without a full stop; empty where nobody is.
 */
export function typingPhrase(users: readonly string[]): string {
  if (users.length === 0) return "";
  if (users.length === 1) return `${users[0]} is typing`;
  if (users.length === 2) return `${users[0]} and ${users[1]} are typing`;
  return "several people are typing";
}

/**
 * Says how the connection is.
 *
 * @param state The connection's state.
 * @returns What to show.
 */
export function statePhrase(state: ConnectionState): StatePhrase {
  switch (state.status) {
    case "connecting":
      return { short: "Connecting…" };
    case "live":
      return { short: "Connected" };
    case "waiting":
      return {
        short: "No connection",
        long: "The server cannot be reached. What you write is kept here and sent later.",
      };
    case "closed":
      return { short: "Disconnected", long: closedPhrase(state.reason) };
  }
}

/**
 * Says when the next try is.
 *
 * @param retryAt Milliseconds since the epoch.
 * @param now The present.
 * @returns A sentence.
 */
export function retryPhrase(retryAt: number, now: number): string {
  const seconds = Math.ceil((retryAt - now) / 1000);
  return seconds > 0 ? `Next try in ${seconds} s.` : "Trying now.";
}

/**
 * Says how much more a message can hold.
 *
 * @param used Bytes of UTF-8 that it has.
 * @param limit Bytes that it may have.
 * @returns A few words once it is nearly full; empty before.
 */
export function roomLeftPhrase(used: number, limit: number): string {
  if (used <= limit * 0.8) return "";
  const count = Math.abs(limit - used).toLocaleString("en");
  return used > limit ? `Too long by ${count} bytes` : `${count} bytes left`;
}

/**
 * Says how many messages are new.
 *
 * @param count How many; 0 where there is only a way back to the newest.
 * @returns A few words.
 */
export function newMessagesPhrase(count: number): string {
  if (count === 0) return "Newest messages";
  return count === 1 ? "1 new message" : `${count.toLocaleString("en")} new messages`;
}

function closedPhrase(reason: string): string {
  return reason === "" ? "The server ended the connection." : `${reason.replace(/\.$/, "")}.`;
}
