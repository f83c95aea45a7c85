import { assert, assertEquals } from "@std/assert";
import { Hub, KvRoomLog } from "@hubbub/hub";
import { ORIGIN } from "../../src/store/cursor.ts";

Deno.test("members that resume do not read all at once, and nobody waits behind them", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  await using hub = new Hub(log, { logger() {} });
  const text = "x".repeat(4_000);
  for (const room of ["one", "other"]) {
    await Promise.all(
      Array.from({ length: 300 }, () => hub.publish(room, "ann", { text })),
    );
  }
  let [reading, most, reads] = [0, 0, 0];
  const after = log.after.bind(log);
  log.after = async (...args) => {
    most = Math.max(most, ++reading);
    reads++;
    try {
      return await after(...args);
    } finally {
      reading--;
    }
  };
  const join = (room: string, address: string) => {
    return hub.join(room, { user: address, address, send() {}, close() {} }, { after: ORIGIN });
  };
  const many = Array.from({ length: 100 }, () => join("one", "attacker"));
  await many[0].joined;
  const before = reads;
  const stranger = join("other", "stranger");
  await stranger.joined;
  assert(most <= 2, `${most} at once`);
  assert(reads - before < 200, `${reads - before} reads came first`);
  await Promise.all(many.map(({ joined }) => joined));
  assertEquals(reading, 0);
  for (const subscription of [...many, stranger]) subscription.leave();
});
