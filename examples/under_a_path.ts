// A site with a page and routes of its own, and a chat under a path of it, which the page uses.
// deno run --allow-net under_a_path.ts

import { createServer, Hub, KvRoomLog } from "@hubbub/hub";

// A path in place of ":memory:" keeps the messages.
const hub = new Hub(new KvRoomLog(await Deno.openKv(":memory:")));
// Without its page there is nothing of it to see; `page: true` shows it at /chat/.
const chat = createServer(hub, { basePath: "/chat", page: false });

const PAGE = `<!doctype html>
<title>My site</title>
<p>Nobody has said anything</p>
<button>Say hello</button>
<script type="module">
  import { createClient } from "/chat/client.js";
  const client = createClient(new URL("/chat", location), { user: "visitor" });
  const room = client.room("guestbook");
  room.subscribe(() => {
    const last = room.snapshot.messages.at(-1);
    if (last) document.querySelector("p").textContent = last.user + ": " + last.text;
  });
  document.querySelector("button").onclick = () => room.send({ text: "hello" });
</script>`;

Deno.serve((request, info) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/") {
    return new Response(PAGE, { headers: { "content-type": "text/html; charset=utf-8" } });
  }
  // The request itself: Deno upgrades no copy.
  if (pathname.startsWith("/chat/")) return chat.fetch(request, info);
  return new Response("There is nothing here", { status: 404 });
});
