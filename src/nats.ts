/**
 * A fan-out over NATS, for hubs on several machines. It loads the client of NATS, which no other door
 * of the package does.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { NatsFanout } from "@hubbub/hub/nats";
 *
 * using kv = await Deno.openKv(":memory:"); // or a store that several machines share
 * const fanout = new NatsFanout({ servers: "nats://127.0.0.1:4222" });
 * await using hub = new Hub(new KvRoomLog(kv), { fanout });
 * console.log(hub.reach); // fanout
 * ```
 *
 * @module
 */

export { NatsFanout, type NatsFanoutOptions } from "./cluster/nats/nats_fanout.ts";
