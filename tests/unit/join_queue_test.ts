import { assertEquals, assertLessOrEqual } from "@std/assert";
import { Hub, KvRoomLog } from "@hubbub/hub";
import { setImmediate } from "node:timers";
import { JoinQueue } from "../../src/connection/join_queue.ts";
import { TurnScheduler } from "../../src/connection/turn_scheduler.ts";
import { EVERYWHERE } from "../../src/hub/everywhere.ts";
import { MultiRoomLine } from "../helpers/multi_room_line.ts";
import { eventually } from "../helpers/patience.ts";

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("JoinQueue.run() runs eight joins of a connection at a time, and those given up at once", async () => {
  const turns = new TurnScheduler({ atOnce: 100 });
  const queue = new JoinQueue({ turns, key: "192.0.2.1" });
  const begun: number[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const members = Array.from({ length: 12 }, (_, i) => ({ i }));
  const runs = members.map((member) =>
    queue.run(member, () => {
      begun.push(member.i);
      const end = Promise.withResolvers<void>();
      ends.push(end);
      return end.promise;
    })
  );
  await nextTurn();
  assertEquals([begun.length, queue.size], [8, 4]);
  queue.giveUp(members[10]);
  queue.giveUp(members[10]);
  await nextTurn();
  assertEquals([begun.at(-1), queue.size], [10, 3]);
  ends[0].resolve();
  await nextTurn();
  assertEquals([begun.at(-1), queue.size], [8, 2], "a place for the next one, and one only");
  ends[8].resolve();
  await nextTurn();
  assertEquals(queue.size, 2, "who was given up had no place");
  while (queue.size > 0) {
    for (const { resolve } of ends) resolve();
    await nextTurn();
  }
  for (const { resolve } of ends) resolve();
  await Promise.all(runs);
});

Deno.test("TurnScheduler passes over turns that are cancelled", async () => {
  const turns = new TurnScheduler({ atOnce: 1 });
  assertEquals(turns.turn("a"), undefined);
  const [first, second, third] = ["a", "a", "b"].map((key) => turns.turn(key)!);
  const begun: string[] = [];
  void second.begun.then(() => begun.push("second"));
  void third.begun.then(() => begun.push("third"));
  first.cancel();
  first.cancel();
  assertEquals(turns.waiting, 2);
  await first.begun;
  await nextTurn();
  await nextTurn();
  assertEquals([begun, turns.waiting], [["second", "third"], 0]);
  second.cancel();
  assertEquals(turns.waiting, 0);
});

/** A log that does not answer until it is told to, but for what holds in all rooms. */
class HangingLog extends KvRoomLog {
  readonly answers = Promise.withResolvers<void>();
  reads = 0;

  override async last(...args: Parameters<KvRoomLog["last"]>): ReturnType<KvRoomLog["last"]> {
    if (args[0] === EVERYWHERE) return await super.last(...args);
    this.reads++;
    await this.answers.promise;
    return await super.last(...args);
  }
}

Deno.test("Rooms whose joins are given up leave memory, and are not read", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new HangingLog(kv);
  await using hub = new Hub(log, { logger() {} });
  const connect = (name: string) => {
    const line = new MultiRoomLine(name, 0);
    for (let i = 0; i < 100; i++) {
      line.join(hub, { room: `${name}-${i}`, take() {}, lost() {} }, undefined);
    }
    return line;
  };
  const lines = ["one", "two", "three"].map(connect);
  await eventually(() => log.reads === 8, () => `eight reads, not ${log.reads}`);
  assertLessOrEqual(hub.roomCount, 24, "eight joins of each, and no room for those that wait");
  for (const line of lines) line.close();
  log.answers.resolve();
  await eventually(() => hub.roomCount === 0, () => `no rooms, not ${hub.roomCount}`);
  assertLessOrEqual(log.reads, 16, "what nobody waits for is not read");
});
