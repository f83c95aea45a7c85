/**
 * What may be said: messages are judged before they are stored.
 *
 * @module
 */

import { decodeDraft, type Draft } from "../protocol/mod.ts";

/** Who says something, and where. */
export interface Sender {
  /** The room's name. */
  readonly room: string;
  /** Who says it, as the server knows the connection. */
  readonly user: string;
}

/** The text to store, be it as it was or changed; or why there will be none, for the sender. */
export type Verdict = { readonly text: string } | { readonly refused: string };

/**
 * Judges a message before it is stored. Decides at once: the messages of a sender are stored in the
 * order in which they came, and nobody waits for anybody else. What takes longer, such as a list of
 * words from a database, is to be fetched beforehand.
 *
 * It sees every new message, those of `Hub.publish` included; not the repeat of one that was
 * stored. Of a draft that it gives back only the text counts. One that throws, or gives back what
 * the protocol would refuse, has not decided: nothing is stored, the sender is told `internal` and
 * may try again, and the operator is told why.
 *
 * @example
 * ```ts
 * import { Hub, type Moderate, KvRoomLog } from "@hubbub/hub";
 *
 * const moderate: Moderate = ({ text }, { room }) => {
 *   if (room === "news") return { refused: "Only the news desk writes here" };
 *   return { text: text.replaceAll("darn", "****") };
 * };
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv), { moderate });
 * const outcome = await hub.publish("news", "ann", { text: "hello" });
 * if (outcome.status === "refused") console.log(outcome.problem.message);
 * ```
 */
export type Moderate = (draft: Draft, sender: Sender) => Verdict;

/** What came of judging a message: what to store, or why not. */
export type Judgement = { readonly draft: Draft } | { readonly refused: string };

/**
 * Asks a hook about a message, and checks what it says.
 *
 * @param moderate The hook.
 * @param draft The message.
 * @param options Who says it, and UTF-8 bytes of text that it may have.
 * @returns What to store, with the sender's own `ref`, or why not.
 * @throws {TypeError} Where the hook gives back neither a text nor a reason.
 * @throws {RangeError} Where it gives back a text that cannot be stored.
 * @throws Whatever the hook throws.
 *
 * @example
 * ```ts
 * import { judge } from "./moderation.ts";
 *
 * const shout = judge(({ text }) => ({ text: text.toUpperCase() }), { text: "hi", ref: "1" }, {
 *   sender: { room: "lobby", user: "ann" },
 *   textMaxBytes: 4096,
 * });
 * console.log(shout); // { draft: { text: "HI", ref: "1" } }
 * ```
 */
export function judge(
  moderate: Moderate,
  draft: Draft,
  options: { readonly sender: Sender; readonly textMaxBytes: number },
): Judgement {
  const verdict: unknown = moderate(draft, options.sender);
  if (verdict instanceof Promise) {
    // Whatever becomes of it, nobody waits for it.
    verdict.catch(() => {});
    throw new TypeError("Cannot wait for moderate(): it must return a verdict, not a promise");
  }
  const { text, refused } = (verdict ?? {}) as { text?: unknown; refused?: unknown };
  if (typeof refused === "string") return { refused };
  if (typeof text !== "string") {
    throw new TypeError("moderate() must return { text } or { refused }, both of them strings");
  }
  if (text === draft.text) return { draft };
  const decoded = decodeDraft({ ...draft, text }, { textMaxBytes: options.textMaxBytes });
  if (!decoded.ok) {
    throw new RangeError(`moderate() returned what cannot be stored: ${decoded.error.message}`);
  }
  return { draft: decoded.draft };
}
