/**
 * What a browser sees at `/`.
 *
 * @module
 */

/**
 * Makes the page that explains the endpoints.
 *
 * @returns HTML.
 */
export function homePage(): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hubbub</title>
<h1>Hubbub</h1>
<p>A durable, ordered chat hub. This server is running.</p>
<dl>
<dt><code>GET /rooms/{room}/ws?user={user}</code>
<dd>WebSocket: the last 10 messages, then <code>joined</code>, then what is live.
Send <code>{"type":"chat_message","payload":{"text":"hello"}}</code>.
<dt><code>GET /rooms/{room}/messages?before=&amp;after=&amp;limit=</code>
<dd>Messages, oldest first.
<dt><code>POST /rooms/{room}/messages</code>
<dd>Say something: <code>{"user":"ann","text":"hello"}</code>.
<dt><code>GET /rooms/{room}</code>
<dd>Who is here, and where the log stands.
<dt><code>GET /health</code>
<dd>Whether the server and its storage work.
</dl>
</html>
`;
}
