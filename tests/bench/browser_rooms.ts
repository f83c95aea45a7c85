/**
 * 30 rooms until live in a browser: on one connection, and on a socket each.
 *
 *     deno run -A --config deno.test.json tests/bench/browser_rooms.ts [--rooms 30] [--runs 7]
 */

import { parseArgs } from "node:util";
import { Chromium } from "../helpers/browser.ts";
import { HubProcess } from "../helpers/hub_process.ts";

const { values } = parseArgs({
  options: {
    rooms: { type: "string", default: "30" },
    runs: { type: "string", default: "7" },
  },
});
const rooms = Number(values.rooms);
const runs = Number(values.runs);

/** What the browser runs; returns the milliseconds until all rooms are live. */
const FORMS = {
  "one connection": `async ({ createClient }, rooms) => {
    const begin = performance.now();
    const client = createClient(location.origin, { user: "ann" });
    await Promise.all(Array.from({ length: rooms }, (_, n) => new Promise((resolve) => {
      const room = client.room("room-" + n);
      room.subscribe(() => room.snapshot.status === "live" && resolve());
    })));
    const took = performance.now() - begin;
    client.close();
    return took;
  }`,
  "a socket each": `async ({ connect }, rooms) => {
    const begin = performance.now();
    const chats = await Promise.all(Array.from({ length: rooms }, (_, n) => new Promise((resolve) => {
      const chat = connect(location.origin, { room: "room-" + n, user: "ann" });
      chat.addEventListener("joined", () => resolve(chat));
    })));
    const took = performance.now() - begin;
    for (const chat of chats) chat.close();
    return took;
  }`,
};

const folder = await Deno.makeTempDir({ prefix: "hubbub-" });
const bundle = `${folder}/client.js`;
const bundling = new Deno.Command(Deno.execPath(), {
  args: ["bundle", "--quiet", "--platform", "browser", "--output", bundle, "src/client/mod.ts"],
});
const { success, stderr } = await bundling.output();
if (!success) throw new Error(new TextDecoder().decode(stderr));
const client = `data:text/javascript;base64,${(await Deno.readFile(bundle)).toBase64()}`;
try {
  await using hub = await HubProcess.start({ HUBBUB_KV: `${folder}/hub.sqlite3` });
  // Every room has what a newcomer gets.
  for (let room = 0; room < rooms; room++) {
    for (let number = 0; number < 10; number++) {
      const body = JSON.stringify({ user: "bob", text: `message ${number} of room ${room}` });
      const init = { method: "POST", body };
      await (await fetch(`${hub.url}/rooms/room-${room}/messages`, init)).body?.cancel();
    }
  }
  await using browser = await Chromium.start();
  for (const [name, form] of Object.entries(FORMS)) {
    const times: number[] = [];
    for (let run = 0; run < runs; run++) {
      const page = await browser.window({ bypassCSP: true });
      await page.goto(`${hub.url}/health`);
      times.push(
        await page.evaluate(
          `import(${JSON.stringify(client)}).then((m) => (${form})(m, ${rooms}))`,
        ),
      );
      await page.context().close();
    }
    times.sort((a, b) => a - b);
    const [median, least, most] = [times[runs >> 1], times[0], times[runs - 1]].map(Math.round);
    console.log(`${rooms} rooms, ${name}: ${median} ms (${least} to ${most}, ${runs} runs)`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
