// The server of vite-react: a chat, tokens for whoever asks, and the built page, at http://localhost:8000/.
// deno run --allow-net --allow-read=vite-react/dist vite_react.ts vite-react/dist

import { createServer, Hub, KvRoomLog, tokenAuthorizer } from "@hubbub/hub";
import { Hono } from "hono";
import { serveStatic } from "hono/deno";
import { SignJWT } from "jose";

const [root] = Deno.args;
const secret = crypto.randomUUID();

// A path in place of ":memory:" keeps the messages.
const hub = new Hub(new KvRoomLog(await Deno.openKv(":memory:")));
const authorize = tokenAuthorizer({ secret });
const chat = createServer(hub, { basePath: "/chat", page: false, authorize });
const app = new Hono<
  { Bindings: { info: Deno.ServeHandlerInfo<Deno.NetAddr> } }
>();

// Put your own login here: this believes everybody.
app.post("/token", async (context) => {
  const { user } = await context.req.json();
  const token = new SignJWT({ sub: user }).setProtectedHeader({ alg: "HS256" });
  const key = new TextEncoder().encode(secret);
  return context.text(await token.setExpirationTime("15m").sign(key));
});

app.all("/chat/*", (context) => chat.fetch(context.req.raw, context.env.info));
app.use(serveStatic({ root }));

Deno.serve((request, info) => app.fetch(request, { info }));
