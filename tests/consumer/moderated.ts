// A chat in which some things are not said, and others not like that.

import { createServer, Hub, KvRoomLog, type Moderate } from "@hubbub/hub";

const moderate: Moderate = ({ text }, { room, user }) => {
  if (room === "news" && user !== "desk") return { refused: "Only the news desk writes here" };
  if (text === "explode") throw new Error("The list of words is gone");
  return { text: text.replaceAll(/darn/gi, "****") };
};

const kv = await Deno.openKv(":memory:");
const chat = createServer(new Hub(new KvRoomLog(kv), { moderate }));
Deno.serve({ hostname: "127.0.0.1", port: 0 }, chat.fetch);
