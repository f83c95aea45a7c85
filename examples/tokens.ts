// Users whom your application knows, with tokens that it signs for them (JSON Web Tokens).
// deno run --allow-net tokens.ts "32 bytes or more that nobody knows"

import { createServer, Hub, KvRoomLog, tokenAuthorizer } from "@hubbub/hub";
import { SignJWT } from "jose";

const [secret] = Deno.args;
const key = new TextEncoder().encode(secret);
/** Seconds for which a token holds; a client asks for a fresh one before that. */
const TOKEN_SECONDS = 15 * 60;

// A path in place of ":memory:" keeps the messages.
const hub = new Hub(new KvRoomLog(await Deno.openKv(":memory:")));
const chat = createServer(hub, { authorize: tokenAuthorizer({ secret }) });

Deno.serve(async (request, info) => {
  if (new URL(request.url).pathname !== "/token") {
    return await chat.fetch(request, info);
  }
  // Put your own login here: this believes a header that a proxy sets after it.
  const user = request.headers.get("x-user");
  if (user === null) return new Response("Please log in", { status: 401 });
  const rooms = user === "ann" ? ["*"] : ["lobby", "team-*"];
  const token = new SignJWT({ sub: user, rooms }).setProtectedHeader({
    alg: "HS256",
  })
    .setExpirationTime(`${TOKEN_SECONDS}s`);
  return new Response(await token.sign(key));
});
