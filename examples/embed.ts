// A chat among the routes of a server of your own.
// deno run --allow-net --allow-read=chat.sqlite3 --allow-write=chat.sqlite3 embed.ts chat.sqlite3

import { createServer, Hub, jsonLogger, KvRoomLog } from "@hubbub/hub";
import { stopOnSignal } from "@hubbub/hub/service";

const [path = ":memory:"] = Deno.args;
const chat = createServer(new Hub(new KvRoomLog(await Deno.openKv(path))));
Deno.serve((request, info) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/") return new Response("My own start page");
  return chat.fetch(request, info);
});
stopOnSignal(jsonLogger(), () => chat.drain());
