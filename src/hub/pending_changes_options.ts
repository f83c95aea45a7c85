/**
 * How the changes of a room get into the log.
 *
 * @module
 */

import type { RoomLog } from "../store/room_log.ts";
import type { ChangedMessages } from "./changed_messages.ts";
import type { ChangeRepeats } from "./change_repeats.ts";
import type { PendingMessagesOptions } from "./pending_options.ts";

/** How `PendingChanges` behaves. */
export interface PendingChangesOptions extends
  Pick<
    PendingMessagesOptions,
    | "commits"
    | "createId"
    | "guard"
    | "hold"
    | "isDraining"
    | "metrics"
    | "moderation"
    | "room"
    | "timestamp"
  > {
  /** The rooms' logs. */
  readonly log: Pick<RoomLog, "changes" | "entryMaxBytes">;
  /** The messages that are changed. */
  readonly messages: ChangedMessages;
  /** What becomes of changes that were made before. */
  readonly repeats: ChangeRepeats;
}
