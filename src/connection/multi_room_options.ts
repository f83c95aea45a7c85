/**
 * What a connection to several rooms is for.
 *
 * @module
 */

import type { RoomsGrant } from "../access/connection_grant.ts";
import type { LinkOptions } from "./link_handler.ts";
import type { UserReads } from "./user_reads.ts";

/** What a connection to several rooms is for. */
export interface MultiRoomOptions extends Pick<LinkOptions, "services" | "address"> {
  /** The right to the connection, and to rooms; released when it ends. */
  readonly grant: RoomsGrant;
  /** The read marks of its user. @default {undefined} none */
  readonly reads?: UserReads;
  /** Seconds without a sign of life after which the peer is taken for dead. @default {30} */
  readonly idleTimeoutSeconds?: number;
}
