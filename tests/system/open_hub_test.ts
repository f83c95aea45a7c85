// An open hub, where anybody may use any name: limits by address as well as by name, tried from
// addresses as a proxy in front writes them down.

import { assert, assertEquals } from "@std/assert";
import { needs } from "../helpers/permissions.ts";
import { OPCODES, RawSocket } from "../helpers/raw_socket.ts";
import { serveAlone, type TestServer, type TestServerOptions } from "../helpers/test_server.ts";
import { signWithSecret } from "../helpers/tokens.ts";
import { tokenAuthorizer } from "@hubbub/hub";

const net = needs("net");
/** Rates that do not refill while a test runs: a connection may send 4 messages, an address 20. */
const RATES = { messages_per_second: 0.001, message_burst: 4 };
const OF_ADDRESS = 20;

async function open(options: TestServerOptions = {}): Promise<TestServer> {
  return await serveAlone({ proxies: 1, limits: RATES, ...options });
}

async function post(
  running: TestServer,
  from: string,
  body: Record<string, unknown>,
  more: Record<string, string> = {},
): Promise<number> {
  const response = await fetch(`${running.url}/rooms/lobby/messages`, {
    method: "POST",
    headers: { "x-forwarded-for": from, ...more },
    body: JSON.stringify(body),
  });
  await response.body?.cancel();
  return response.status;
}

async function join(running: TestServer, from: string, user: string): Promise<RawSocket> {
  const url = `${running.url}/rooms/lobby/ws?user=${user}&history=0`;
  return await RawSocket.open(url, { "x-forwarded-for": from });
}

function reached(running: TestServer): unknown[] {
  return running.events.filter(({ event }) => event === "limit_reached")
    .map(({ fields }) => [fields?.limit, fields?.address]);
}

Deno.test("a new name for each POST does not get around the rate", net, async () => {
  await using running = await open();
  const statuses: number[] = [];
  for (let i = 0; i < 60; i++) {
    statuses.push(await post(running, "192.0.2.1", { user: `name${i}`, text: "spam" }));
  }
  assertEquals(statuses.filter((status) => status === 201).length, OF_ADDRESS);
  assertEquals(statuses.filter((status) => status === 429).length, 60 - OF_ADDRESS);
  // Another address is as free as before.
  assertEquals(await post(running, "192.0.2.2", { user: "name1", text: "hello" }), 201);
  const { metrics } = running.hub;
  assertEquals(metrics.messagesLimited.get("address_message_rate"), 60 - OF_ADDRESS);
  assertEquals(reached(running), [["address_message_rate", "192.0.2.1"]]);
});

Deno.test("a network of IPv6 counts as one address", net, async () => {
  await using running = await open();
  let taken = 0;
  for (let i = 0; i < 40; i++) {
    const status = await post(running, `2001:db8:1:2::${i + 1}`, { user: `u${i}`, text: "spam" });
    if (status === 201) taken++;
  }
  assertEquals(taken, OF_ADDRESS);
  assertEquals(await post(running, "2001:db8:1:3::1", { user: "u1", text: "hello" }), 201);
});

Deno.test("a new name for each socket does not get around the rate", net, async () => {
  await using running = await open();
  using stack = new DisposableStack();
  const sockets: RawSocket[] = [];
  for (let i = 0; i < 10; i++) {
    const socket = stack.use(await join(running, "192.0.2.1", `name${i}`));
    await socket.until("joined");
    sockets.push(socket);
  }
  // Each may send four.
  for (const socket of sockets) {
    for (let i = 0; i < 4; i++) {
      await socket.send(OPCODES.text, '{"type":"chat_message","payload":{"text":"spam"}}');
    }
    await socket.send(OPCODES.text, '{"type":"ping","payload":{}}');
    await socket.until("pong");
  }
  assertEquals(running.hub.metrics.messagesIn, OF_ADDRESS);
  using other = await join(running, "192.0.2.2", "name1");
  await other.until("joined");
  await other.send(OPCODES.text, '{"type":"chat_message","payload":{"text":"hello"}}');
  await other.until('"text":"hello"');
});

Deno.test("nobody is locked out by somebody else under the same name", net, async () => {
  await using running = await open({ maxConnectionsPerUser: 5 });
  using stack = new DisposableStack();
  for (let i = 0; i < 5; i++) {
    assertEquals(stack.use(await join(running, "192.0.2.1", "zoe")).status, 101);
  }
  assertEquals(stack.use(await join(running, "192.0.2.1", "zoe")).status, 429);
  const zoe = stack.use(await join(running, "192.0.2.2", "zoe"));
  assertEquals(zoe.status, 101);
  await zoe.until("joined");
  // Nor is what zoe may send used up.
  for (let i = 0; i < 20; i++) await post(running, "192.0.2.1", { user: "zoe", text: "spam" });
  await zoe.send(OPCODES.text, '{"type":"chat_message","payload":{"text":"hello"}}');
  await zoe.until('"text":"hello"');
  assertEquals(await post(running, "192.0.2.2", { user: "zoe", text: "hello again" }), 201);
});

Deno.test("reading has a rate by address too", net, async () => {
  await using running = await open({ requestsPerSecondPerAddress: 0.1, limits: undefined });
  const read = async (from: string, path: string) => {
    const response = await fetch(running.url + path, { headers: { "x-forwarded-for": from } });
    const text = await response.text();
    return { status: response.status, text, retryAfter: response.headers.get("retry-after") };
  };
  assertEquals((await read("192.0.2.1", "/rooms/lobby/messages")).status, 200);
  for (const path of ["/rooms/lobby/messages", "/rooms/lobby", "/", "/health", "/nowhere"]) {
    const { status, text, retryAfter } = await read("192.0.2.1", path);
    assertEquals([status, JSON.parse(text).error.code], [429, "rate_limited"], path);
    assert(Number(retryAfter) >= 1);
  }
  assertEquals((await read("192.0.2.2", "/rooms/lobby/messages")).status, 200);
  assertEquals(reached(running), [["address_request_rate", "192.0.2.1"]]);
});

Deno.test("with tokens a user's rate is one, wherever the user is", net, async () => {
  const secret = "0123456789abcdef0123456789abcdef";
  await using running = await open({ authorize: tokenAuthorizer({ secret }) });
  const bearer = async (sub: string) => ({
    authorization: `Bearer ${await signWithSecret({ sub }, secret)}`,
  });
  const ann = await bearer("ann");
  let taken = 0;
  for (let i = 0; i < 12; i++) {
    if (await post(running, `192.0.2.${i + 1}`, { text: "spam" }, ann) === 201) taken++;
  }
  assertEquals(taken, 8);
  assertEquals(running.hub.metrics.messagesLimited.get("user_rate"), 4);
  // An office behind one address shares none: each has a token.
  for (let i = 0; i < 30; i++) {
    const user = await bearer(`user ${i}`);
    assertEquals(await post(running, "192.0.2.1", { text: "hello" }, user), 201);
  }
});

Deno.test("this machine's own addresses share no rate", net, async () => {
  await using running = await serveAlone({ limits: RATES });
  for (let i = 0; i < 2 * OF_ADDRESS; i++) {
    assertEquals(await post(running, "", { user: `name${i}`, text: "hello" }), 201);
  }
});

Deno.test("a proxy that is not configured is warned of once", net, async () => {
  await using running = await serveAlone();
  const warnings = () => running.events.filter(({ event }) => event === "proxy_not_configured");
  const read = async (headers: Record<string, string>) => {
    await (await fetch(`${running.url}/rooms/lobby`, { headers })).body?.cancel();
  };
  await read({});
  assertEquals(warnings().length, 0);
  for (let i = 0; i < 3; i++) await read({ "x-forwarded-for": "192.0.2.1" });
  assertEquals(warnings().length, 1);
  assertEquals(warnings()[0].level, "warn");
  assert(String(warnings()[0].fields?.message).includes("HUBBUB_PROXIES"));
});
