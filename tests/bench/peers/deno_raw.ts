// A bare loop over Deno's own WebSockets: the runtime's floor for one frame per message.
const rooms = new Map<string, Set<WebSocket>>();
const options = { port: Number(Deno.env.get("PORT")), hostname: "127.0.0.1", onListen() {} };
Deno.serve(options, (request) => {
  const name = new URL(request.url).pathname;
  const { socket, response } = Deno.upgradeWebSocket(request);
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room);
  socket.onopen = () => room.add(socket);
  socket.onclose = () => room.delete(socket);
  socket.onmessage = ({ data }) => {
    for (const member of room) if (member.readyState === WebSocket.OPEN) member.send(data);
  };
  return response;
});
