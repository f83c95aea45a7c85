/**
 * What may be said: messages are judged before they are stored.
 *
 * @module
 */

import { decodeDraft, type Draft, type Limits, type Problem } from "../protocol/mod.ts";
import { JudgementSlots, type Judging } from "./judgement_slots.ts";
import { type Guard, isThenable } from "../telemetry/guard.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Milliseconds within which a message is judged where nothing else is said. */
export const MODERATION_TIMEOUT_MS = 5_000;

/** Who says something, and where. */
export interface Sender {
  /** The room's name. */
  readonly room: string;
  /** Who says it, as the server knows the connection. */
  readonly user: string;
  /** A name that is shown beside the user. */
  readonly name?: string;
}

/** The text to store, be it as it was or changed; or why there will be none, for the sender. */
export type Verdict = { readonly text: string } | { readonly refused: string };

/** What a {@linkcode Moderate} gets besides the message. */
export interface ModerateOptions {
  /** Aborted when the verdict comes too late to count: for `fetch`. */
  readonly signal: AbortSignal;
}

/**
 * Judges a message before it is stored, at once or by a promise. The messages of a sender are stored
 * in the order in which they came, however long each takes; at most 16 of a connection are judged at
 * the same time. What is not judged in time, counted from its arrival, is refused for now, or stored
 * as it is, as the hub's `moderationLate` says.
 *
 * It sees every new message, those of `Hub.publish` included; not the repeat of one that was
 * stored. Of a draft that it gives back only the text counts. One that throws, rejects, or gives back
 * what the protocol would refuse, has not decided: nothing is stored, the sender is told `internal`
 * and may try again, and the operator is told why.
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
export type Moderate = (
  draft: Draft,
  sender: Sender,
  options: ModerateOptions,
) => Verdict | Promise<Verdict>;

/** What came of judging a message: what to store, or what its sender is told. */
export type Judgement = { readonly draft: Draft } | { readonly problem: Problem };

/** How {@linkcode Moderation} behaves. */
export interface ModerationOptions {
  /** Judges messages. */
  readonly moderate: Moderate;
  /** Milliseconds from a message's arrival within which it must be judged. @default {5000} */
  readonly timeoutMs?: number;
  /** What becomes of a message that is not judged in time. @default {"refuse"} */
  readonly late?: "refuse" | "accept";
  /** UTF-8 bytes of text that a message may have. */
  readonly textMaxBytes: number;
  /** Logs failures. */
  readonly guard: Guard;
  /** The hub's counters. */
  readonly metrics: Metrics;
}

/**
 * Creates the moderation of a hub.
 *
 * @param options The hub's options.
 * @param services What members may do, and the hub's log and counters.
 * @returns The moderation; undefined where there is no hook.
 */
export function moderationOf(
  { moderate, moderationTimeoutMs: timeoutMs, moderationLate: late }: {
    readonly moderate?: Moderate;
    readonly moderationTimeoutMs?: number;
    readonly moderationLate?: "refuse" | "accept";
  },
  { limits: { text_max_bytes: textMaxBytes }, guard, metrics }: {
    readonly limits: Limits;
    readonly guard: Guard;
    readonly metrics: Metrics;
  },
): Moderation | undefined {
  return moderate && new Moderation({ moderate, timeoutMs, late, textMaxBytes, guard, metrics });
}

/**
 * Asks the hook about messages, and takes no answer for a yes that is none.
 *
 * @example
 * ```ts
 * import { jsonLogger, Metrics } from "@hubbub/hub";
 * import { Guard } from "../telemetry/guard.ts";
 * import { Moderation } from "./moderation.ts";
 *
 * const metrics = new Metrics();
 * const moderation = new Moderation({
 *   moderate: ({ text }) => ({ text: text.toUpperCase() }),
 *   textMaxBytes: 4096,
 *   guard: new Guard({ logger: jsonLogger(), metrics }),
 *   metrics,
 * });
 * const judging = moderation.judge({ text: "hi" }, { room: "lobby", user: "ann" }, (judgement) => {
 *   console.log(judgement); // { draft: { text: "HI" } }
 * });
 * judging.start(() => {});
 * ```
 */
export class Moderation {
  readonly #options: ModerationOptions;
  /** By connection, how many of its messages may be judged now. */
  readonly #slots = new WeakMap<object, JudgementSlots>();
  #open = 0;
  #onIdle: (() => void)[] = [];

  /** @param options The hook, and how long it may take. */
  constructor(options: ModerationOptions) {
    this.#options = options;
  }

  /**
   * The slots of a connection, which all of its rooms share.
   *
   * @param connection What stands for the connection.
   * @returns The slots.
   */
  slotsOf(connection: object): JudgementSlots {
    let slots = this.#slots.get(connection);
    if (!slots) this.#slots.set(connection, slots = new JudgementSlots());
    return slots;
  }

  /** Settles when nothing is being judged. Never rejects. */
  async idle(): Promise<void> {
    while (this.#open > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /**
   * Begins to judge a message: from now on its time counts.
   *
   * @param draft The message.
   * @param sender Who says it, and where.
   * @param done Called exactly once. Must not throw.
   * @returns What asks the hook, when it is the message's turn.
   */
  judge(draft: Draft, sender: Sender, done: (judgement: Judgement) => void): Judging {
    const { moderate, timeoutMs = MODERATION_TIMEOUT_MS } = this.#options;
    let controller: AbortController | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isDone = false;
    this.#open++;
    const finish = (judgement: Judgement) => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      done(judgement);
      if (--this.#open === 0) { for (const resolve of this.#onIdle.splice(0)) resolve(); }
    };
    let free = () => {};
    const expire = () => {
      finish(this.#late(draft, sender));
      controller?.abort(new DOMException("The verdict came too late", "TimeoutError"));
      // One that never answers must not keep others from being asked.
      free();
    };
    const startTimer = () => {
      if (!isDone) timer ??= setTimeout(expire, timeoutMs);
    };
    // What is judged at once needs no timer.
    queueMicrotask(startTimer);
    const options: ModerateOptions = {
      get signal() {
        return (controller ??= new AbortController()).signal;
      },
    };
    return {
      start: (onEnd) => {
        if (isDone) return onEnd();
        try {
          const verdict: unknown = moderate(draft, sender, options);
          if (!isThenable(verdict)) finish(this.#check(verdict, draft, sender));
          else {
            let hasEnded = false;
            free = () => {
              if (!hasEnded) onEnd();
              hasEnded = true;
            };
            const end = (judgement: Judgement) => {
              finish(judgement);
              free();
            };
            verdict.then(
              (verdict) => end(this.#check(verdict, draft, sender)),
              (error) => end(isDone ? NEVER : this.#failed(error, sender)),
            );
            return;
          }
        } catch (error) {
          finish(this.#failed(error, sender));
        }
        onEnd();
      },
    };
  }

  /** Checks what the hook says. Never throws. */
  #check(verdict: unknown, draft: Draft, sender: Sender): Judgement {
    const { metrics, textMaxBytes } = this.#options;
    const { text, refused } = (verdict ?? {}) as { text?: unknown; refused?: unknown };
    if (typeof refused === "string") {
      metrics.messagesRefused++;
      return { problem: { code: "not_accepted", message: refused } };
    }
    if (typeof text !== "string") {
      const why = "moderate() must return { text } or { refused }, both of them strings";
      return this.#failed(new TypeError(why), sender);
    }
    if (text === draft.text) return { draft };
    const decoded = decodeDraft({ ...draft, text }, { textMaxBytes });
    if (decoded.ok) return { draft: decoded.draft };
    const why = `moderate() returned what cannot be stored: ${decoded.error.message}`;
    return this.#failed(new RangeError(why), sender);
  }

  #failed(error: unknown, { room, user }: Sender): Judgement {
    const { guard, metrics } = this.#options;
    metrics.moderationFailures++;
    guard.logger("error", "moderation_failed", { room, user, error });
    return { problem: { code: "internal", message: "The message could not be judged" } };
  }

  #late(draft: Draft, { room, user }: Sender): Judgement {
    const { late = "refuse", guard, metrics, timeoutMs = MODERATION_TIMEOUT_MS } = this.#options;
    metrics.moderationTimeouts++;
    guard.logger("warn", "moderation_late", { room, user, timeoutMs, late });
    if (late === "accept") return { draft };
    const message = "The message could not be judged in time";
    return { problem: { code: "unavailable", message } };
  }
}

/** Stands for a judgement that counts no more. */
const NEVER: Judgement = { problem: { code: "internal", message: "It came too late" } };
