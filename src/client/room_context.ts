/**
 * What a room shares with others.
 *
 * @module
 */

import type { Limits } from "../protocol/mod.ts";
import type { ConnectionSettings } from "./connection_settings.ts";
import type { HttpClient } from "./http_client.ts";
import type { SharedConnection } from "./room_membership.ts";
import type { SendPace } from "./send_pace.ts";
import type { TaskLimit } from "./task_limit.ts";
import type { UnsentStore } from "./unsent_store.ts";
import type { UserRoomsClient } from "./user_rooms_client.ts";

/** What a room needs of the client that it belongs to. */
export interface RoomContext {
  /** The connection. */
  readonly connection: SharedConnection & {
    /** Sends envelopes that the hub answers, at the end of this turn. */
    ask(envelopes: readonly string[]): void;
  };
  /** The durations and bounds. */
  readonly settings: ConnectionSettings;
  /** The pace of the connection. */
  readonly pace: SendPace;
  /** Asks the server over HTTP. */
  readonly http: HttpClient;
  /** How many pages are read at once, of all rooms. */
  readonly pages: TaskLimit;
  /** Asks for the user's rooms and marks. */
  readonly userRooms: UserRoomsClient;
  /** Called when the user was let into a room. */
  readonly onEntered: (room: string) => void;
  /** The room's URL, with `http:` or `https:`. */
  readonly url: string;
  /** Where messages that are not stored yet outlast the program. */
  readonly unsent?: UnsentStore;
  /** Aborted, with a {@linkcode ChatError}, when the client has ended for good. */
  readonly closing: AbortSignal;
  /** Gives the user's names, and what the hub allows, once it has told. */
  readonly member: () => {
    readonly user: string;
    readonly name?: string;
    readonly limits: Limits | undefined;
  };
}
