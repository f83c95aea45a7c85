import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { chooseProtocol } from "../../src/connection/upgrade.ts";
import { needs } from "../helpers/permissions.ts";
import { OPCODES, RawSocket } from "../helpers/raw_socket.ts";
import { fill, numbers } from "../helpers/stored_lines.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serve } from "../helpers/test_server.ts";

const net = needs("net");
const JOIN = "/rooms/lobby/ws?user=";
const SPEAKS = ["hubbub.v1", "hubbub.v1.lines"];

Deno.test("chooseProtocol() takes the first that it speaks, with spaces and without", () => {
  assertEquals(chooseProtocol("", SPEAKS), undefined);
  assertEquals(chooseProtocol("foo", SPEAKS), undefined);
  assertEquals(chooseProtocol("hubbub.v1x, xhubbub.v1, HUBBUB.V1", SPEAKS), undefined);
  assertEquals(chooseProtocol("hubbub.v1", SPEAKS), "hubbub.v1");
  assertEquals(chooseProtocol("foo,hubbub.v1.lines,hubbub.v1", SPEAKS), "hubbub.v1.lines");
  assertEquals(chooseProtocol("foo , hubbub.v1 ,hubbub.v1.lines", SPEAKS), "hubbub.v1");
});

Deno.test("Two clients see each other's messages, typing, presence and history", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await using ann = await TestClient.join(server.url, JOIN + "ann");
  await using bob = await TestClient.join(server.url, JOIN + "bob");
  await ann.until((client) => client.of("presence").length === 1);
  bob.type(true);
  await ann.until((client) => client.of("typing_status").length === 1);
  bob.say("hello", "1");
  await ann.until(({ said }) => said.length === 1);
  assertEquals(ann.frames.slice(1, 4), [
    '{"type":"presence","payload":{"user":"bob","status":"joined"}}',
    '{"type":"typing_status","payload":{"user":"bob","status":true}}',
    '{"type":"typing_status","payload":{"user":"bob","status":false}}',
  ]);
  await bob.until(({ said }) => said.length === 1);
  assertEquals(bob.messages, ann.messages, "the sender's own copy is the acknowledgement");
  assertEquals(bob.messages[0].ref, "1");
  assertEquals(bob.of("typing_status"), []);
  await using cid = await TestClient.join(server.url, JOIN + "cid");
  assertEquals(cid.messages, ann.messages);
  assertEquals(cid.envelopes.map(({ type }) => type), ["chat_message", "joined"]);
  assertEquals(cid.joined?.users, ["ann", "bob", "cid"]);
});

Deno.test("A client resumes where it was, or is told that it cannot", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await fill(server.log, "lobby", { texts: numbers(1000), perEntry: 9 });
  const all = await server.log.last("lobby", { limit: 1000 });
  for (const place of [3, 950]) {
    const after = `&after=${all[place].cursor}`;
    await using ann = await TestClient.join(server.url, JOIN + "ann" + after);
    assertEquals(ann.said, numbers(999 - place, place + 1));
    assertEquals(ann.joined?.recovered, true);
  }
  await using bob = await TestClient.join(server.url, JOIN + "bob&after=nonsense&history=3");
  assertEquals(bob.said, ["997", "998", "999"]);
  assertEquals(bob.joined?.recovered, false);
  for (const history of [0, 1, 100]) {
    await using cid = await TestClient.join(server.url, `${JOIN}cid&history=${history}`);
    assertEquals(cid.said.length, history);
  }
});

Deno.test("A user has the name that the request gives, settled, and no other", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  const name = encodeURIComponent("  Zoe\u0301 🎉 ");
  await using zoe = await TestClient.join(server.url, JOIN + name);
  await using bob = await TestClient.join(server.url, JOIN + "bob");
  assertEquals(zoe.joined?.user, "Zo\u00e9 🎉");
  zoe.socket.send('{"type":"typing_status","payload":{"status":true,"user":"bob"}}');
  zoe.socket.send('{"type":"chat_message","payload":{"text":"hi","user":"bob","room":"other"}}');
  await bob.until(({ said }) => said.length === 1);
  assertEquals(bob.of("typing_status")[0].user, "Zo\u00e9 🎉");
  assertEquals(bob.messages[0].user, "Zo\u00e9 🎉");
  assertEquals(bob.messages[0].room, "lobby");
});

Deno.test("Subprotocols are negotiated as the client offers them", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  const offers: [string | undefined, string | null][] = [
    [undefined, null],
    ["hubbub.v1", "hubbub.v1"],
    ["hubbub.v1.lines", "hubbub.v1.lines"],
    ["hubbub.v1, hubbub.v1.lines", "hubbub.v1"],
    ["hubbub.v1.lines,hubbub.v1", "hubbub.v1.lines"],
    ["foo,hubbub.v1.lines", "hubbub.v1.lines"],
    ["foo,bar, hubbub.v1", "hubbub.v1"],
    ["foo ,  hubbub.v1 ", "hubbub.v1"],
    ["foo", null],
    ["foo,bar", null],
    [",", null],
  ];
  for (const [offered, chosen] of offers) {
    const offer = { "sec-websocket-protocol": offered };
    using client = await RawSocket.open(server.url + JOIN + "ann", offer);
    const { status, headers } = client;
    assertEquals([status, headers.get("sec-websocket-protocol")], [101, chosen], offered);
  }
});

Deno.test("hubbub.v1.lines carries several envelopes a frame, both ways", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await fill(server.log, "lobby", { texts: numbers(5), perEntry: 5 });
  await using ann = await TestClient.join(server.url, JOIN + "ann", ["hubbub.v1.lines"]);
  await using bob = await TestClient.join(server.url, JOIN + "bob");
  assertEquals(ann.socket.protocol, "hubbub.v1.lines");
  assertEquals(ann.frames[0].split("\n").length, 6, "the history and joined");
  assertEquals(bob.frames.length, 6, "without the subprotocol each has its own frame");
  const line = (text: string) => `{"type":"chat_message","payload":{"text":"${text}"}}`;
  ann.socket.send(["", line("a"), "nonsense", line("b"), "", line("c"), ""].join("\n"));
  await bob.until(({ said }) => said.length === 8);
  assertEquals(bob.said.slice(5), ["a", "b", "c"]);
  await ann.until(({ said }) => said.length === 8);
  assertEquals(ann.of("error").map(({ code }) => code), ["bad_frame"]);
});

Deno.test("hubbub.v1 takes pretty-printed JSON, and one envelope a frame", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await using ann = await TestClient.join(server.url, JOIN + "ann", ["foo", "hubbub.v1"]);
  assertEquals(ann.socket.protocol, "hubbub.v1");
  const envelope = { type: "chat_message", payload: { text: "line\nline" } };
  ann.socket.send(JSON.stringify(envelope, null, 2));
  await ann.until(({ said }) => said.length === 1);
  assertEquals(ann.said, ["line\nline"]);
  ann.socket.send(JSON.stringify(envelope) + "\n" + JSON.stringify(envelope));
  await ann.until((client) => client.of("error").length === 1);
  assertEquals(ann.said.length, 1);
});

Deno.test("Whatever a client sends, it is told, and the connection stays open", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await using ann = await TestClient.join(server.url, JOIN + "ann");
  const bad: [string | Uint8Array<ArrayBuffer>, string][] = [
    ["", "bad_frame"],
    ["nonsense", "bad_frame"],
    ["null", "bad_frame"],
    [new Uint8Array([1, 2, 3]), "bad_frame"],
    [new Uint8Array(0), "bad_frame"],
    ['{"type":"constructor","payload":{}}', "unknown_type"],
    ['{"type":"chat_message","payload":{"text":""}}', "bad_text"],
    ['{"type":"chat_message","payload":{"text":"\\ud800"}}', "bad_text"],
    ['{"type":"chat_message","payload":{"text":"a","ref":7}}', "bad_ref"],
    ['{"type":"typing_status","payload":{"status":"yes"}}', "bad_frame"],
    [
      JSON.stringify({ type: "chat_message", payload: { text: "x".repeat(4097) } }),
      "text_too_long",
    ],
    ["[".repeat(60_000), "bad_frame"],
  ];
  for (const [data] of bad) ann.socket.send(data);
  ann.say("still here");
  await ann.until(({ said }) => said.length === 1);
  assertEquals(ann.of("error").map(({ code }) => code), bad.map(([, code]) => code));
  assertEquals((await server.log.last("lobby", { limit: 10 })).length, 1);
  assertEquals(server.events, []);
});

Deno.test("A member whose connection breaks leaves, and typing ends", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await using bob = await TestClient.join(server.url, JOIN + "bob");
  {
    using ann = await RawSocket.open(server.url + JOIN + "ann");
    await ann.send(OPCODES.text, '{"type":"typing_status","payload":{"status":true}}');
    await bob.until((client) => client.of("typing_status").length === 1);
  }
  await bob.until((client) => client.of("presence").length === 2);
  assertEquals(bob.of("typing_status").at(-1), { user: "ann", status: false });
  assertEquals(bob.of("presence").at(-1), { user: "ann", status: "left" });
});

Deno.test("A fault while joining costs one connection, not the listener", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  const join = server.hub.join.bind(server.hub);
  server.hub.join = () => {
    throw new Error("a fault of ours");
  };
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${JOIN}ann`);
  const { code } = await new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  assertEquals(code, 1011);
  assertEquals(server.events.map(({ event }) => event), ["connection_failed"]);
  server.hub.join = join;
  await using ann = await TestClient.join(server.url, JOIN + "ann");
  assertEquals(ann.joined?.user, "ann");
});

Deno.test("Handshakes that are wrong are refused, and the listener lives", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  const cases: [Record<string, string | undefined>, string, number][] = [
    [{ "sec-websocket-key": undefined }, "GET", 400],
    [{ connection: "close" }, "GET", 400],
    [{ upgrade: undefined, connection: undefined }, "GET", 426],
    [{ upgrade: "h2c" }, "GET", 426],
    [{}, "POST", 405],
    [{}, "HEAD", 405],
    [{ upgrade: "WebSocket" }, "GET", 101],
  ];
  for (const [headers, method, expected] of cases) {
    using client = await RawSocket.open(server.url + JOIN + "ann", headers, method);
    assertEquals(client.status, expected, `${method} ${JSON.stringify(headers)}`);
  }
  await using ann = await TestClient.join(server.url, JOIN + "ann");
  assert(ann.joined);
  const { connections } = await (await fetch(server.url + "/health")).json();
  assert(connections <= 2, `${connections} connections are counted`);
});

Deno.test("Server.drain() tells members to come back, and closes with 4000", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await using ann = await TestClient.join(server.url, JOIN + "ann");
  for (const text of numbers(20)) ann.say(text);
  await ann.until(({ said }) => said.length > 0);
  await server.server.drain();
  const { code, reason } = await deadline(ann.closed, 2000);
  assertEquals([code, reason], [4000, "The server is stopping"]);
  assertEquals(ann.envelopes.at(-1)?.type, "draining");
  const stored = await server.log.last("lobby", { limit: 100 });
  assertEquals(ann.messages.map(({ cursor }) => cursor), stored.map(({ cursor }) => cursor));
});
