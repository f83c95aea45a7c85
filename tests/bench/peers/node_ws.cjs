// The `ws` package on Node: a loop over the room.
const { WebSocketServer } = require("ws");

const rooms = new Map();
const options = { port: Number(process.env.PORT), host: "127.0.0.1", perMessageDeflate: false };
new WebSocketServer(options).on("connection", (socket, { url }) => {
  const room = rooms.get(url) ?? new Set();
  rooms.set(url, room.add(socket));
  socket.on("close", () => room.delete(socket));
  socket.on("message", (data) => {
    const text = data.toString();
    for (const member of room) if (member.readyState === 1) member.send(text);
  });
});
