// Socket.IO rooms, WebSocket transport only: one that the query names, or several.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer();
new Server(http, { transports: ["websocket"] }).on("connection", (socket) => {
  const rooms = String(socket.handshake.query.room).split(",");
  socket.join(rooms);
  socket.on("msg", (text, room = rooms[0]) => socket.nsp.to(room).emit("msg", text));
});
http.listen(Number(process.env.PORT), "127.0.0.1");
