// A chat among the routes of a server of one's own.

import { createServer, Hub, jsonLogger, RoomLog } from "@hubbub/hub";
import { stopOnSignal } from "@hubbub/hub/process";

const chat = createServer(new Hub(new RoomLog(await Deno.openKv(":memory:"))));
Deno.serve({ hostname: "127.0.0.1", port: 0 }, (request, info) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/") return new Response("My own start page");
  return chat.fetch(request, info);
});
stopOnSignal(jsonLogger(), () => chat.drain());
