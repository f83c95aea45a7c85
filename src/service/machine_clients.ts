/**
 * The clients of what several machines share.
 *
 * @module
 */

import type { Fanout } from "../cluster/fanout.ts";
import type { RoomLog } from "../store/room_log.ts";

/** The client of PostgreSQL: what the module `@hubbub/hub/postgres` exports. */
export interface PostgresModule {
  /** The store. */
  readonly PostgresRoomLog: {
    open(
      url: string,
      options: { readonly listen?: string; readonly retentionMs?: number },
    ): Promise<RoomLog & { close(): Promise<void> }>;
  };
  /** The fan-out. */
  readonly PostgresFanout: new (url: string) => Fanout;
}

/** The client of NATS: what the module `@hubbub/hub/nats` exports. */
export interface NatsModule {
  /** The fan-out. */
  readonly NatsFanout: new (options: { readonly servers: string }) => Fanout;
}

/** Clients that are loaded where they may be used, since nobody else should download them. */
export interface MachineClients {
  /** The module `@hubbub/hub/nats`. @default {undefined} */
  readonly nats?: NatsModule;
  /** The module `@hubbub/hub/postgres`. @default {undefined} */
  readonly postgres?: PostgresModule;
}

/** Why a start fails that needs a client which it has not. */
export const NO_CLIENT = "This program was started without the clients of PostgreSQL and NATS: " +
  "deno task start has them where they are needed, and so has machines_main.ts";
