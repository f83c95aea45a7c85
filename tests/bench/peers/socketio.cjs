// Socket.IO rooms, WebSocket transport only.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer();
new Server(http, { transports: ["websocket"] }).on("connection", (socket) => {
  const room = socket.handshake.query.room;
  socket.join(room);
  socket.on("msg", (text) => socket.nsp.to(room).emit("msg", text));
});
http.listen(Number(process.env.PORT), "127.0.0.1");
