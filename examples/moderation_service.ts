// A chat that asks a service of yours about each message before it is stored.
// deno run --allow-net moderation_service.ts https://moderation.example.com/judge

import { createServer, Hub, KvRoomLog, type Moderate } from "@hubbub/hub";

const service = Deno.args[0];

// The service answers {"text": …}, be it as it was or changed, or {"refused": …} with the reason.
const moderate: Moderate = async ({ text }, { room, user }, { signal }) => {
  const body = JSON.stringify({ room, user, text });
  const headers = { "content-type": "application/json" };
  const response = await fetch(service, { method: "POST", headers, body, signal });
  if (response.ok) return await response.json();
  await response.body?.cancel();
  throw new Error(`The moderation answered ${response.status}`);
};

const kv = await Deno.openKv(":memory:");
const hub = new Hub(new KvRoomLog(kv), {
  moderate,
  moderationTimeoutMs: 2_000, // from a message's arrival; then it is refused for now
});
Deno.serve(createServer(hub).fetch);
