// A chat that refuses some messages and changes others, before they are stored.
// deno run --allow-net moderation.ts

import { createServer, Hub, KvRoomLog, type Moderate } from "@hubbub/hub";

const moderate: Moderate = ({ text }, { room, user }) => {
  if (room === "news" && user !== "desk") {
    return { refused: "Only the news desk writes here" };
  }
  if (text === "explode") throw new Error("The list of words is gone");
  return { text: text.replaceAll(/darn/gi, "****") };
};

const kv = await Deno.openKv(":memory:");
const chat = createServer(new Hub(new KvRoomLog(kv), { moderate }));
Deno.serve(chat.fetch);
