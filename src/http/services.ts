/**
 * The services and the bindings of a server's routes.
 *
 * @module
 */

import type { AccessControl } from "../access/access_control.ts";
import type { ConnectionInfo } from "../access/client_address.ts";
import type { SharedSlot } from "../access/request_slot.ts";
import type { ConnectionServices } from "../connection/services.ts";
import type { WrittenRooms } from "./written_rooms.ts";

/** The services of a server, made once by `createServer` and handed to all routes. */
export interface ServerServices extends ConnectionServices {
  /** Authorizes requests, and limits how many there are. */
  readonly access: AccessControl;
  /** The rooms that requests have written to lately. */
  readonly written: Pick<WrittenRooms, "keep">;
}

/** What is known of a request besides the request itself. */
export interface RequestBindings {
  /** What `Deno.serve` says about it. */
  readonly info: ConnectionInfo | undefined;
  /** Its place within the limits, once it has one. */
  slot?: SharedSlot;
}

/** The environment of a server's routes, for Hono. */
export interface ServerEnv {
  /** The bindings of a request. */
  readonly Bindings: RequestBindings;
}
