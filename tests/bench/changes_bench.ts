// What 100,000 reactions to one message cost those who read the last 10: deno task bench.

import { Hub, KvRoomLog } from "@hubbub/hub";
import { readPresentPage } from "../../src/hub/present_page.ts";
import { cursorAt, tagOf } from "../../src/store/cursor.ts";
import { storedChange, withChanges } from "../helpers/change_contract.ts";
import { fill, numbers } from "../helpers/stored_lines.ts";

async function open(reactions: number): Promise<{ kv: Deno.Kv; log: KvRoomLog }> {
  const kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const [commit] = await fill(log, "lobby", { texts: numbers(300), perEntry: 300 });
  const message = cursorAt(commit, 299, tagOf("id of 299"));
  for (let made = 0; made < reactions; made += 250) {
    const status = Math.floor(made / 500) % 2 === 0;
    const changes = numbers(250, made % 500).map((user) => {
      return storedChange(message, { kind: "reaction", emoji: "👍", user, status });
    });
    await log.append(new Map([["lobby", withChanges(changes)]]));
  }
  return { kv, log };
}

const plain = await open(0);
const busy = await open(100_000);

for (const [name, { log }] of Object.entries({ "no changes": plain, "100,000 reactions": busy })) {
  const baseline = name === "no changes";
  Deno.bench({
    name: `open a room and join it: ${name}`,
    group: "join",
    baseline,
    async fn() {
      const hub = new Hub(log, { alone: true, logger() {} });
      await hub.join("lobby", { user: "ann", send() {}, close() {} }).joined;
      await hub.drain();
    },
  });
  Deno.bench({
    name: `a page of 10: ${name}`,
    group: "page",
    baseline,
    async fn() {
      await readPresentPage(log, "lobby", { limit: 10, maxLength: 256 * 1024 });
    },
  });
}
