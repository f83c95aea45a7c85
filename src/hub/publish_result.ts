/**
 * What becomes of a message that is published.
 *
 * @module
 */

import type { Problem } from "../protocol/mod.ts";
import type { LogRecord } from "../store/entry.ts";

/** How a message is published. */
export interface PublishOptions {
  /** A name to show beside the user. @default {undefined} the user is shown alone */
  readonly name?: string;
  /** When it was sent, ISO 8601, where it comes from elsewhere. @default {undefined} now */
  readonly sentAt?: string;
  /** Whether it was judged before, and is stored as it is. @default {false} */
  readonly isJudged?: boolean;
}

/** The result of publishing a message. */
export type PublishResult =
  | { readonly status: "stored" | "duplicate"; readonly record: LogRecord }
  | { readonly status: "refused"; readonly problem: Problem };

/** Called exactly once with the result. Must not throw. */
export type PublishCallback = (result: PublishResult) => void;
