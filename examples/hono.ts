// A chat among the routes of a Hono app.
// deno run --allow-net hono.ts

import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
import { Hono } from "hono";

// A path in place of ":memory:" keeps the messages.
const chat = createServer(
  new Hub(new KvRoomLog(await Deno.openKv(":memory:"))),
);
const app = new Hono<
  { Bindings: { info: Deno.ServeHandlerInfo<Deno.NetAddr> } }
>();

app.get("/", (context) => context.text("My own start page"));

// The request itself: Deno upgrades no copy, which is what `app.mount` would hand on.
app.all("*", (context) => chat.fetch(context.req.raw, context.env.info));

Deno.serve((request, info) => app.fetch(request, { info }));
