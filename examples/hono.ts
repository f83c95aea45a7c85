// A chat under a path of a Hono app: the page at http://localhost:8000/chat/.
// deno run --allow-net hono.ts

import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
import { Hono } from "hono";

// A path in place of ":memory:" keeps the messages.
const hub = new Hub(new KvRoomLog(await Deno.openKv(":memory:")));
const chat = createServer(hub, { basePath: "/chat" });
const app = new Hono<{ Bindings: { info: Deno.ServeHandlerInfo<Deno.NetAddr> } }>();

app.get("/", (context) => context.text("My own start page"));

// The request itself: Deno upgrades no copy, which is what `app.mount` hands on by default.
app.all("/chat/*", (context) => chat.fetch(context.req.raw, context.env.info));

Deno.serve((request, info) => app.fetch(request, { info }));
