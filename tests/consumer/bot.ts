// A bot: answers whoever asks for the time. Takes the server's address, and stops when its input
// ends.

import { ChatError, connect } from "@hubbub/hub/client";

const stopping = new AbortController();
const { signal } = stopping;
const chat = connect(Deno.args[0], { room: "lobby", user: "bot", history: 0, signal });
Deno.stdin.readable.pipeTo(new WritableStream()).then(() => stopping.abort());
for await (const { user, text, id } of chat) {
  if (user === "bot" || text !== "!time") continue;
  try {
    // A ref of the question's makes the answer one, whatever happens between.
    await chat.send(`It is late, ${user}`, { ref: id });
  } catch (error) {
    // Refused, or the bot left before it heard that the answer is stored.
    if (!(error instanceof ChatError)) throw error;
    console.error(error.message);
  }
}
console.log(`The bot has left: ${chat.state.status}`);
