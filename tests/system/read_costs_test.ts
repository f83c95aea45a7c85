// What is read of a log counts for the address that it is read for, by whichever door it comes.

import { assert, assertEquals } from "@std/assert";
import { Hub, KvRoomLog } from "@hubbub/hub";
import { ProcessorShares } from "../../src/access/processor_shares.ts";
import { readCostMs } from "../../src/access/processor_costs.ts";
import { eventually } from "../helpers/patience.ts";
import { OPCODES, RawSocket } from "../helpers/raw_socket.ts";
import { serve } from "../helpers/test_server.ts";

/** Messages in the room, and UTF-16 code units of each text. */
const MESSAGES = 200;
const LENGTH = 4_000;
/** Where the proxy says that it comes from: nothing is counted for this machine itself. */
const FROM = { "x-forwarded-for": "192.0.2.1" };

/** Adds up what is counted for addresses while an action runs. */
async function chargesOf(action: (charged: () => number) => Promise<void>): Promise<void> {
  const { charge } = ProcessorShares.prototype;
  let sum = 0;
  ProcessorShares.prototype.charge = function (address, ms) {
    sum += ms;
    charge.call(this, address, ms);
  };
  try {
    await action(() => sum);
  } finally {
    ProcessorShares.prototype.charge = charge;
  }
}

const DOORS: Record<string, (url: string) => Promise<() => void>> = {
  async "a WebSocket in one room"(url) {
    const socket = await RawSocket.open(`${url}/rooms/lobby/ws?user=ann`, FROM);
    await socket.until("joined");
    return () => socket[Symbol.dispose]();
  },
  async "a WebSocket in many rooms"(url) {
    const protocol = { "sec-websocket-protocol": "hubbub.v2" };
    const socket = await RawSocket.open(`${url}/ws?user=ann`, { ...FROM, ...protocol });
    await socket.send(OPCODES.text, JSON.stringify({ type: "join", room: "lobby", payload: {} }));
    await socket.until("joined");
    return () => socket[Symbol.dispose]();
  },
  async "a stream of events"(url) {
    const response = await fetch(`${url}/rooms/lobby/events`, { headers: FROM });
    const reader = response.body!.getReader();
    await reader.read();
    return () => void reader.cancel();
  },
  async "a request that posts"(url) {
    const body = JSON.stringify({ user: "ann", text: "hello" });
    const response = await fetch(`${url}/rooms/lobby/messages`, {
      method: "POST",
      headers: FROM,
      body,
    });
    assertEquals(response.status, 201, await response.text());
    return () => {};
  },
};

for (const [door, open] of Object.entries(DOORS)) {
  Deno.test(`what ${door} has read of a log counts for its address`, async () => {
    using kv = await Deno.openKv(":memory:");
    {
      await using hub = new Hub(new KvRoomLog(kv), { logger() {} });
      const text = "x".repeat(LENGTH);
      const drafts = Array.from({ length: MESSAGES }, (_, i) => ({ text: `${i} ${text}` }));
      await Promise.all(drafts.map((draft) => hub.publish("lobby", "bob", draft)));
    }
    await using server = serve(kv, { proxies: 1 });
    await chargesOf(async (charged) => {
      const close = await open(server.url);
      const least = readCostMs(MESSAGES * LENGTH);
      assert(least > 20, `what is read is more than all else: ${least} ms`);
      await eventually(() => charged() >= least, () => `${least} ms to be counted: ${charged()}`);
      close();
    });
  });
}
