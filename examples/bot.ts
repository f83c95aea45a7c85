// A bot that answers whoever asks for the time, and stops when its input ends.
// deno run --allow-net bot.ts http://127.0.0.1:8000

import { ChatError, connect } from "@hubbub/hub/client";

const stopping = new AbortController();
const { signal } = stopping;
const chat = connect(Deno.args[0], {
  room: "lobby",
  user: "bot",
  history: 0,
  signal,
});
Deno.stdin.readable.pipeTo(new WritableStream()).then(() => stopping.abort());
for await (const { user, text, cursor } of chat) {
  if (user === "bot" || text !== "!time") continue;
  try {
    // The question's cursor as ref makes the answer one message, however often it has to be sent.
    await chat.send(`It is late, ${user}`, { ref: cursor });
  } catch (error) {
    // It was refused, or the bot left before it was acknowledged.
    if (!(error instanceof ChatError)) throw error;
    console.error(error.message);
  }
}
console.log(`The bot has left: ${chat.state.status}`);
