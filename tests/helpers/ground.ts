// What the model of agreement.ts may run over in place of a database file and a channel in memory.

import type { Fanout, RoomLog } from "@hubbub/hub";
import type { Random } from "./random.ts";

/** What one hub runs over. */
export interface HubGround {
  readonly log: RoomLog;
  readonly fanout: Fanout;
  close(): Promise<void>;
}

/** What all hubs of a run share. */
export interface Ground {
  /** How often it was put back to an earlier state. */
  readonly epoch: number;
  /** Opens it for one more hub. */
  open(): Promise<HubGround>;
  /** Does something bad to it, and makes it good again. */
  disturb(random: Random): Promise<void>;
}
