import { assert, assertEquals } from "@std/assert";
import { needs } from "../helpers/permissions.ts";
import { frameOf, OPCODES, RawSocket } from "../helpers/raw_socket.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serveAlone } from "../helpers/test_server.ts";

const { text, binary, close, continuation, ping, pong } = OPCODES;
const HELLO = JSON.stringify({ type: "chat_message", payload: { text: "hello" } });

/** What a client does after it has joined, and what it must get: the last of the texts, or an end. */
interface Attack {
  readonly act: (socket: RawSocket) => Promise<void>;
  /** A part of the text that answers it. */
  readonly answer?: string;
  /** The close codes that may end it; 0 is a hang-up, which is how the runtime ends most. */
  readonly ends?: readonly number[];
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

async function closeWith(socket: RawSocket, code: number, reason: Uint8Array = new Uint8Array()) {
  await socket.send(close, Uint8Array.from([code >> 8, code & 255, ...reason]));
}

const BROKEN = [0, 1002];

const ATTACKS: Record<string, Attack> = {
  "text that is not UTF-8": {
    act: (socket) => socket.send(text, bytes(0x22, 0xff, 0xfe, 0x22)),
    ends: [0, 1007],
  },
  "half a character at the end": {
    act: (socket) => socket.send(text, bytes(0x22, 0xe2, 0x82)),
    ends: [0, 1007],
  },
  "a reserved bit": { act: (socket) => socket.send(text, HELLO, { reserved: 4 }), ends: BROKEN },
  "all reserved bits": { act: (socket) => socket.send(text, HELLO, { reserved: 7 }), ends: BROKEN },
  "a reserved opcode": { act: (socket) => socket.send(3, HELLO), ends: BROKEN },
  "a reserved control opcode": { act: (socket) => socket.send(11), ends: BROKEN },
  // RFC 6455 wants a close; Deno 2.9 takes them. What is in them is checked all the same.
  "an unmasked frame": {
    act: (socket) => socket.send(text, HELLO, { masked: false }),
    answer: '"text":"hello"',
  },
  "fragments": {
    async act(socket) {
      await socket.send(text, HELLO.slice(0, 7), { fin: false });
      await socket.send(continuation, HELLO.slice(7, 9), { fin: false });
      await socket.send(ping, "between");
      await socket.send(continuation, HELLO.slice(9));
    },
    answer: '"text":"hello"',
  },
  "a continuation of nothing": { act: (socket) => socket.send(continuation, HELLO), ends: BROKEN },
  "a text within a fragmented one": {
    async act(socket) {
      await socket.send(text, HELLO, { fin: false });
      await socket.send(text, HELLO);
    },
    ends: BROKEN,
  },
  "a fragmented ping": { act: (socket) => socket.send(ping, "x", { fin: false }), ends: BROKEN },
  "a ping that is too long": { act: (socket) => socket.send(ping, "x".repeat(126)), ends: BROKEN },
  "pongs that nobody asked for": {
    async act(socket) {
      for (let i = 0; i < 100; i++) await socket.send(pong, "x");
      await socket.send(text, HELLO);
    },
    answer: '"text":"hello"',
  },
  "a length beyond reason": {
    act: (socket) => socket.send(text, "", { length: 2 ** 62 }),
    ends: BROKEN,
  },
  "the end of the stream in a frame": {
    async act(socket) {
      await socket.write(frameOf(text, HELLO).subarray(0, 20));
      await socket.finish();
    },
    ends: [0],
  },
  "the end of the stream in a message": {
    async act(socket) {
      await socket.send(text, HELLO, { fin: false });
      await socket.finish();
    },
    ends: [0],
  },
  "the end of the stream between frames": { act: (socket) => socket.finish(), ends: [0] },
  "a close": { act: (socket) => closeWith(socket, 1000), ends: [1000] },
  "a close without a code": { act: (socket) => socket.send(close), ends: [1000, 1005] },
  "a close with half a code": { act: (socket) => socket.send(close, bytes(3)), ends: BROKEN },
  "a close with code 1005": { act: (socket) => closeWith(socket, 1005), ends: BROKEN },
  "a close with code 999": { act: (socket) => closeWith(socket, 999), ends: BROKEN },
  "a close with code 5000": { act: (socket) => closeWith(socket, 5000), ends: [...BROKEN, 5000] },
  "a close with a broken reason": {
    act: (socket) => closeWith(socket, 1000, bytes(0xff)),
    ends: [0, 1002, 1007],
  },
  "a binary frame": { act: (socket) => socket.send(binary, HELLO), answer: '"bad_frame"' },
  "an empty text": { act: (socket) => socket.send(text), answer: '"bad_frame"' },
  "zeros": { act: (socket) => socket.send(text, "\0".repeat(100)), answer: '"bad_frame"' },
  "JSON as deep as a frame is long": {
    act: (socket) => socket.send(text, "[".repeat(60_000)),
    answer: '"bad_frame"',
  },
  "an envelope with a prototype": {
    act: (socket) =>
      socket.send(text, '{"__proto__":{"type":"chat_message","payload":{"text":"x"}}}'),
    answer: '"bad_frame"',
  },
  "a type that every object has": {
    act: (socket) => socket.send(text, '{"type":"constructor","payload":{}}'),
    answer: '"unknown_type"',
  },
  "junk without end": {
    async act(socket) {
      for (let i = 0; i < 11; i++) await socket.send(text, "junk");
    },
    ends: [4509],
  },
  "a frame that is too long": {
    act: (socket) => socket.send(text, "x".repeat(65_537)),
    ends: [1009],
  },
  "fragments that are too long together": {
    async act(socket) {
      await socket.send(text, "x", { fin: false });
      for (let i = 0; i < 70; i++) {
        await socket.send(continuation, "x".repeat(1_000), { fin: false });
      }
      await socket.send(continuation);
    },
    ends: [1009],
  },
  "more after its close": {
    async act(socket) {
      await socket.send(text, "x".repeat(65_537));
      for (let i = 0; i < 10; i++) await socket.send(text, HELLO);
    },
    ends: [0, 1009],
  },
};

Deno.test("a hub bears whatever a client sends", needs("net"), async (t) => {
  await using running = await serveAlone();
  await using ann = await TestClient.join(running.url, "/rooms/lobby/ws?user=ann");
  for (const [name, { act, answer, ends }] of Object.entries(ATTACKS)) {
    await t.step(name, async () => {
      {
        using socket = await RawSocket.open(`${running.url}/rooms/lobby/ws?user=mallory`);
        await socket.until("joined");
        await act(socket);
        if (answer !== undefined) await socket.until(answer);
        if (ends !== undefined) {
          const { code } = await socket.end();
          assert(ends.includes(code), `It ended with ${code}`);
        }
      }
      while (running.hub.metrics.connections > 1) await new Promise((done) => setTimeout(done, 1));
      await ann.store(`after ${name}`);
      assertEquals((await running.hub.roomState("lobby")).users, ["ann"]);
    });
  }
  assertEquals(running.hub.metrics.memberFailures, 0);
  assertEquals(running.hub.metrics.stuckConnections, 0);
});

const HANDSHAKES: Record<string, [Record<string, string>, number]> = {
  "no key": [{ "sec-websocket-key": "" }, 400],
  "a key of the wrong length": [{ "sec-websocket-key": "AAA" }, 400],
  "an old version": [{ "sec-websocket-version": "8" }, 426],
  "another protocol": [{ "sec-websocket-protocol": "mqtt" }, 101],
  "protocols without a space": [{ "sec-websocket-protocol": "mqtt,hubbub.v1" }, 101],
  "an extension": [{ "sec-websocket-extensions": "permessage-deflate" }, 101],
  "upgrade in capitals": [{ upgrade: "WebSocket" }, 101],
  "upgrade to something else": [{ upgrade: "h2c" }, 426],
};

Deno.test("a hub bears whatever handshake comes", needs("net"), async (t) => {
  await using running = await serveAlone();
  await using ann = await TestClient.join(running.url, "/rooms/lobby/ws?user=ann");
  for (const [name, [headers, status]] of Object.entries(HANDSHAKES)) {
    await t.step(name, async () => {
      {
        using socket = await RawSocket.open(`${running.url}/rooms/lobby/ws?user=eve`, headers);
        assertEquals(socket.status, status);
      }
      while (running.hub.metrics.connections > 1) await new Promise((done) => setTimeout(done, 1));
      await ann.store(`after ${name}`);
    });
  }
  await t.step("nobody there any more when it is answered", async () => {
    for (let i = 0; i < 20; i++) {
      const { hostname, port } = new URL(running.url);
      using connection = await Deno.connect({ hostname, port: Number(port) });
      const lines = [
        `GET /rooms/lobby/ws?user=ghost HTTP/1.1`,
        `host: ${hostname}`,
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
      ];
      await connection.write(new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
    }
    while (running.hub.metrics.messagesIn < 1 || running.hub.metrics.connections > 1) {
      await new Promise((done) => setTimeout(done, 1));
    }
    await ann.store("after ghosts");
    assertEquals((await running.hub.roomState("lobby")).users, ["ann"]);
  });
});
