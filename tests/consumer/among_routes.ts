// A chat among the routes of a server of one's own.

import { createServer, Hub, jsonLogger, KvRoomLog } from "@hubbub/hub";
import { stopOnSignal } from "@hubbub/hub/service";

const chat = createServer(new Hub(new KvRoomLog(await Deno.openKv(":memory:"))));
Deno.serve({ hostname: "127.0.0.1", port: 0 }, (request, info) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/") return new Response("My own start page");
  return chat.fetch(request, info);
});
stopOnSignal(jsonLogger(), () => chat.drain());
