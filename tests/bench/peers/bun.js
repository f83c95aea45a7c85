// Bun's native publish/subscribe (uWebSockets inside): nothing stored, nothing checked.
const server = Bun.serve({
  port: process.env.PORT,
  hostname: "127.0.0.1",
  fetch(request, server) {
    const options = { data: new URL(request.url).pathname };
    return server.upgrade(request, options) ? undefined : new Response("", { status: 426 });
  },
  websocket: {
    open: (socket) => socket.subscribe(socket.data),
    message: (socket, text) => void server.publish(socket.data, text),
  },
});
