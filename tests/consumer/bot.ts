// A bot: answers whoever asks for the time. Takes the server's address, and stops when its input
// ends.

import { connect } from "@hubbub/hub/client";

const stopping = new AbortController();
const chat = connect(Deno.args[0], {
  room: "lobby",
  user: "bot",
  history: 0,
  signal: stopping.signal,
});
Deno.stdin.readable.pipeTo(new WritableStream()).then(() => stopping.abort());
for await (const { user, text, id } of chat) {
  // A ref of the question's makes the answer one, whatever happens between.
  if (user !== "bot" && text === "!time") await chat.send(`It is late, ${user}`, { ref: id });
}
console.log(`The bot has left: ${chat.state.status}`);
