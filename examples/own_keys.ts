// A shop that keeps its orders and its chat in one database, each under keys of its own.
// deno run --allow-net --allow-read=shop.sqlite3 --allow-write=shop.sqlite3 own_keys.ts shop.sqlite3

import { createServer, Hub, jsonLogger, KvRoomLog } from "@hubbub/hub";
import { stopOnSignal } from "@hubbub/hub/service";

const [path = ":memory:"] = Deno.args;
const kv = await Deno.openKv(path);
// Everything of the chat stands below ["chat"], and nothing else of the shop does.
const hub = new Hub(new KvRoomLog(kv, { prefix: ["chat"] }));
const chat = createServer(hub);

async function order(request: Request): Promise<Response> {
  const id = crypto.randomUUID();
  const item = await request.text();
  await kv.set(["orders", id], { item });
  // With the order's id as ref the staff is told once, also where this is tried again.
  await hub.publish("staff", "shop", { text: `Order: ${item}`, ref: id, data: { order: id } });
  return Response.json({ id, item }, { status: 201 });
}

Deno.serve(async (request, info) => {
  if (new URL(request.url).pathname !== "/orders") return await chat.fetch(request, info);
  if (request.method === "POST") return await order(request);
  const orders = await Array.fromAsync(kv.list({ prefix: ["orders"] }), ({ value }) => value);
  return Response.json(orders);
});
stopOnSignal(jsonLogger(), () => chat.drain()); // stores what was accepted, then ends
