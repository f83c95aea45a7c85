// Users whom your application knows, with tokens that it signs for them (JSON Web Tokens).
// deno run --allow-net tokens.ts "32 bytes or more that nobody knows"

import { createServer, Hub, KvRoomLog, tokenAuthorizer } from "@hubbub/hub";
import { sign } from "hono/jwt";

const [secret] = Deno.args;
/** Seconds for which a token holds; a client asks for a fresh one before that. */
const TOKEN_SECONDS = 15 * 60;

// A path in place of ":memory:" keeps the messages.
const hub = new Hub(new KvRoomLog(await Deno.openKv(":memory:")));
const chat = createServer(hub, { authorize: tokenAuthorizer({ secret }) });

Deno.serve(async (request, info) => {
  if (new URL(request.url).pathname !== "/token") return await chat.fetch(request, info);
  // Put your own login here: this believes a header that a proxy sets after it.
  const user = request.headers.get("x-user");
  if (user === null) return new Response("Please log in", { status: 401 });
  const exp = Math.floor(Date.now() / 1000) + TOKEN_SECONDS;
  const rooms = user === "ann" ? ["*"] : ["lobby", "team-*"];
  return new Response(await sign({ sub: user, rooms, exp }, secret, "HS256"));
});
