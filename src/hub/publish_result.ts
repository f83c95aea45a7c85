/**
 * What becomes of a message that is published.
 *
 * @module
 */

import type { Problem, Role } from "../protocol/mod.ts";
import type { LogRecord } from "../store/entry.ts";

/** What is known of a message that comes from elsewhere, such as an export. */
export interface Past {
  /** When it was sent, ISO 8601. @default {undefined} now */
  readonly sentAt?: string;
  /** When it was edited last, ISO 8601. @default {undefined} never */
  readonly editedAt?: string;
  /** Whether it was deleted: nothing of what it says is stored. @default {false} */
  readonly isDeleted?: boolean;
}

/** How a message is published. */
export interface PublishOptions {
  /** What the user may do in the room: not all sanctions hold for moderators. @default {"member"} */
  readonly role?: Role;
  /** A name to show beside the user. @default {undefined} the user is shown alone */
  readonly name?: string;
  /**
   * Where it was said before, elsewhere: it is stored as it is, unjudged and whatever holds for the
   * user. @default {undefined} it is said now
   */
  readonly past?: Past;
}

/** The result of publishing a message. */
export type PublishResult =
  | { readonly status: "stored" | "duplicate"; readonly record: LogRecord }
  | { readonly status: "refused"; readonly problem: Problem };

/** How a message is changed. */
export interface ChangeOptions {
  /** What the user may do in the room: a moderator changes others' messages too. @default {"member"} */
  readonly role?: Role;
  /** Whether it was made before, elsewhere, and is made whatever holds for the user. @default {false} */
  readonly isPast?: boolean;
}

/** The result of changing a message. */
export type ChangeResult =
  | {
    /** `unchanged` where the message was so already, `duplicate` where the change was sent again. */
    readonly status: "stored" | "unchanged" | "duplicate";
    /** The change. */
    readonly change: LogRecord;
  }
  | { readonly status: "refused"; readonly problem: Problem };

/** Called exactly once with the result. Must not throw. */
export type ChangeCallback = (result: ChangeResult) => void;

/** Called exactly once with the result. Must not throw. */
export type PublishCallback = (result: PublishResult) => void;
