// Users who log in with a form; their browsers send a session's cookie along.
// deno run --allow-net cookie_sessions.ts

import { type Authorize, createServer, Hub, KvRoomLog } from "@hubbub/hub";

/** Seconds for which a login holds. */
const SESSION_SECONDS = 24 * 60 * 60;

const passwords = new Map([["ann", "correct horse"], [
  "bob",
  "battery staple",
]]);
const sessions = new Map<string, { user: string; expiresAt: number }>();

const authorize: Authorize = (request) => {
  const cookies = request.headers.get("cookie") ?? "";
  const [, id = ""] = /(?:^|; *)session=([\w-]+)/.exec(cookies) ?? [];
  const session = sessions.get(id);
  if (!session || session.expiresAt <= Date.now()) {
    return { denied: "Please log in" };
  }
  return {
    ...session,
    roleIn: (room) => room === "staff" && session.user !== "ann" ? "none" : "member",
  };
};

async function logIn(request: Request): Promise<Response> {
  const form = await request.formData();
  const user = String(form.get("user"));
  // Keep hashes in a database of yours instead, and limit how often one may try.
  if (passwords.get(user) !== form.get("password")) {
    return new Response("No", { status: 403 });
  }
  const id = crypto.randomUUID();
  sessions.set(id, { user, expiresAt: Date.now() + 1000 * SESSION_SECONDS });
  // HttpOnly: no script reads it. SameSite: no other site sends it. Add Secure behind TLS.
  const cookie = `session=${id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_SECONDS}`;
  return new Response(null, {
    status: 303,
    headers: { "set-cookie": cookie, location: "/" },
  });
}

// A path in place of ":memory:" keeps the messages.
const hub = new Hub(new KvRoomLog(await Deno.openKv(":memory:")));
const chat = createServer(hub, { authorize });
Deno.serve(async (request, info) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/login" && request.method === "POST") {
    return await logIn(request);
  }
  return await chat.fetch(request, info);
});
