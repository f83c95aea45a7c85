// The configurations of docs/deploying.md for what stands in front, in the real nginx and Caddy.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "@hubbub/hub/client";
import { Document } from "../helpers/document.ts";
import { EventReader } from "../helpers/event_reader.ts";
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { received, until } from "../helpers/received.ts";
import { post } from "../helpers/requests.ts";
import { nginxMain, nginxServer, replacePart as replace } from "../helpers/proxy_configuration.ts";
import { freePorts, ReverseProxy } from "../helpers/reverse_proxy.ts";
import { hasCommand, Shell } from "../helpers/shell.ts";
import { serveAlone } from "../helpers/test_server.ts";

const ALL = needs("net", "run", "read", "write", "env");
const CURL = { ignore: ALL.ignore || Deno.build.os !== "linux" || !await hasCommand("curl") };
const NGINX = { ignore: CURL.ignore || !await hasCommand("nginx") };
const CADDY = { ignore: CURL.ignore || !await hasCommand("caddy") };
/** Where Debian keeps it. */
const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";
const STREAM = { ignore: NGINX.ignore || !exists(STREAM_MODULE) };

const page = ALL.ignore ? new Document("", "") : Document.read("docs/deploying.md");

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    console.warn(`The test of nginx's stream module is ignored: there is none here`);
    return false;
  }
}

/** A hub as the page says to start it behind a proxy. */
async function startHub(
  folder: string,
  more: Readonly<Record<string, string>> = {},
): Promise<HubProcess> {
  const environment = { HUBBUB_PROXIES: "1", HUBBUB_HOSTS: "chat.example.com", ...more };
  return await HubProcess.start({ HUBBUB_KV: `${folder}/kv.sqlite3`, ...environment });
}

/** Uses the hub through a proxy in every way that a proxy may break. */
async function exercise(url: string, hub: HubProcess): Promise<void> {
  assertMatch(await (await fetch(`${url}/r/lobby`)).text(), /<!doctype html>/i);
  await using ann = connect(url, { room: "lobby", user: "ann" });
  const messages = received(ann);
  await ann.send("by WebSocket");
  const posted = await post(url, '{"user":"bob","text":"by POST"}');
  assertEquals((await posted.json()).text, "by POST");
  await until(ann, () => messages.length === 2);

  {
    // What is sent arrives while the stream is open: nothing waits for a buffer to fill.
    await using events = await EventReader.open(`${url}/rooms/lobby/events?history=0`);
    await events.until("joined");
    await ann.send("as an event");
    const last = (await events.until("chat_message")).at(-1);
    assertEquals(last?.data.text, "as an event");
  }

  // A page from the proxy is one of the server's own, another is not.
  const { host, origin } = new URL(url);
  const room = `${url}/rooms/lobby/ws?user=cleo`;
  {
    using own = await RawSocket.open(room, { host, origin });
    assertEquals(own.status, 101);
  }
  // The address is the one that the proxy saw, whatever the client says.
  const curl = "curl -sS --interface 127.0.0.2 -H 'X-Forwarded-For: 192.0.2.7'";
  const answer = await Shell.run(
    `${curl} -H 'Origin: https://elsewhere.example' ${url}/rooms/lobby`,
  );
  assertEquals(JSON.parse(answer).error.code, "forbidden");
  const refused = hub.events.find(({ event }) => event === "access_refused");
  assertEquals(refused?.address, "127.0.0.2");
  const metrics = await fetch(`${url}/metrics`);
  await metrics.body?.cancel();
  assertEquals(metrics.status, 404);
}

Deno.test("deploying.md's nginx passes everything on", NGINX, async () => {
  await inFolder(async (folder) => {
    await using hub = await startHub(folder);
    const ports = freePorts(1);
    const configuration = nginxMain(nginxServer(page, hub, `listen 127.0.0.1:${ports[0]};`));
    await using _nginx = await ReverseProxy.nginx({ folder, configuration, ports });
    await exercise(`http://127.0.0.1:${ports[0]}`, hub);
  });
});

Deno.test("deploying.md's nginx passes everything on under a path", NGINX, async () => {
  for (const target of ["http://hubbub;", "http://hubbub/;"]) {
    await inFolder(async (folder) => {
      await using hub = await startHub(folder, { HUBBUB_BASE_PATH: "/chat" });
      const ports = freePorts(1);
      const server = nginxServer(page, hub, `listen 127.0.0.1:${ports[0]};`);
      const location = "location / {\n    proxy_pass http://hubbub;";
      const under = replace(server, location, `location /chat/ {\n    proxy_pass ${target}`)
        // A regular expression cannot take a path off, and would come first.
        .replace("location ~ /events$", "location = /none");
      const configuration = nginxMain(replace(under, "= /metrics", "= /chat/metrics"));
      await using _nginx = await ReverseProxy.nginx({ folder, configuration, ports });
      await exercise(`http://127.0.0.1:${ports[0]}/chat`, hub);
    });
  }
});

Deno.test(
  "deploying.md's nginx keeps event streams alive while the hub restarts",
  NGINX,
  async () => {
    await inFolder(async (folder) => {
      const ports = freePorts(1);
      const hub = await startHub(folder);
      const server = nginxServer(page, hub, `listen 127.0.0.1:${ports[0]};`);
      await using _nginx = await ReverseProxy.nginx({
        folder,
        configuration: nginxMain(server),
        ports,
      });
      await hub[Symbol.asyncDispose]();
      const response = await fetch(`http://127.0.0.1:${ports[0]}/rooms/lobby/events?history=1`);
      assertEquals([response.status, await response.text()], [200, "retry: 5000\n\n"]);
      assertEquals(response.headers.get("content-type"), "text/event-stream");
      const room = await fetch(`http://127.0.0.1:${ports[0]}/rooms/lobby`);
      await room.body?.cancel();
      assertEquals(room.status, 502);
    });
  },
);

Deno.test(
  "deploying.md's nginx passes everything on behind its stream module",
  STREAM,
  async () => {
    await inFolder(async (folder) => {
      await using hub = await startHub(folder);
      const ports = freePorts(2);
      const [outer, inner] = ports;
      const listen = replace(page.block("nginx", "set_real_ip_from"), " ssl ", " ")
        .replace("8443", String(inner));
      const stream = replace(
        replace(page.block("nginx", "stream {"), "listen 443;", `listen 127.0.0.1:${outer};`),
        "8443",
        String(inner),
      );
      const configuration = nginxMain(
        nginxServer(page, hub, listen),
        `load_module ${STREAM_MODULE};\n${stream}`,
      );
      await using _nginx = await ReverseProxy.nginx({ folder, configuration, ports });
      await exercise(`http://127.0.0.1:${outer}`, hub);
    });
  },
);

Deno.test("deploying.md's nginx serves it under a path, taken off or not", NGINX, async () => {
  const stripped = page.block("nginx", "location /chat/").trim();
  for (const lines of [stripped, replace(stripped, "http://hubbub/", "http://hubbub")]) {
    await inFolder(async (folder) => {
      await using running = await serveAlone({ basePath: "/chat", proxies: 1 });
      const [port] = freePorts(1);
      const root = /location \/ \{\s*proxy_pass http:\/\/hubbub;/;
      const server = nginxServer(page, running, `listen 127.0.0.1:${port};`);
      assertMatch(server, root);
      const configuration = nginxMain(server.replace(root, lines));
      await using _nginx = await ReverseProxy.nginx({ folder, configuration, ports: [port] });
      const url = `http://127.0.0.1:${port}/chat`;
      await using ann = connect(url, { room: "lobby", user: "ann" });
      assertEquals((await ann.send("hello")).text, "hello");
      // What the page needs, by the addresses that stand in it.
      for (const path of [`${url}/`, `${url}/r/lobby`]) {
        const html = await (await fetch(path)).text();
        const [, base = ""] = /<base href="([^"]+)"/.exec(html) ?? [];
        const needed = [...html.matchAll(/<(?:link|script)\b[^>]* (?:href|src)="([^"]+)"/g)];
        assert(needed.length > 2);
        for (const [, address] of needed) {
          const response = await fetch(new URL(address, new URL(base, path)));
          await response.body?.cancel();
          assertEquals([address, response.status], [address, 200], path);
        }
      }
    });
  }
});

Deno.test("deploying.md's Caddy passes everything on", CADDY, async () => {
  await inFolder(async (folder) => {
    await using hub = await startHub(folder);
    const ports = freePorts(1);
    const url = `http://127.0.0.1:${ports[0]}`;
    const block = replace(page.block("caddyfile", "reverse_proxy"), "chat.example.com", url);
    const configuration = replace(block, "127.0.0.1:8000", `127.0.0.1:${hub.port}`)
      .replace("{\n", "{\n  admin off\n").replace("grace_period 5s", "grace_period 100ms");
    await using _caddy = await ReverseProxy.caddy({ folder, configuration, ports });
    await exercise(url, hub);
    await hub[Symbol.asyncDispose]();
    const response = await fetch(`${url}/rooms/lobby/events`);
    assertEquals([response.status, await response.text()], [200, "retry: 5000\n\n"]);
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    const room = await fetch(`${url}/rooms/lobby`);
    await room.body?.cancel();
    assertEquals(room.status, 502);
  });
});

/** Chats under `/chat/` of a site of examples/proxies, and looks for the application beside it. */
async function visit(url: string): Promise<void> {
  assertEquals(await (await fetch(`${url}/chatter`)).text(), "the application: /chatter");
  assertMatch(await (await fetch(`${url}/chat/r/lobby`)).text(), /<!doctype html>/i);
  const { origin, host } = new URL(url);
  using own = await RawSocket.open(`${url}/chat/rooms/lobby/ws?user=cleo`, { host, origin });
  assertEquals(own.status, 101);
  await using events = await EventReader.open(`${url}/chat/rooms/lobby/events?history=0`);
  await events.until("joined");
  await using ann = connect(`${url}/chat`, { room: "lobby", user: "ann" });
  await ann.send("hello");
  assertEquals((await events.until("chat_message")).at(-1)?.data.text, "hello");
}

for (const [proxy, options] of [["nginx", NGINX], ["caddy", CADDY]] as const) {
  Deno.test(`examples/proxies has ${proxy} with an application, and the chat under a path`, {
    ...options,
  }, async () => {
    await inFolder(async (folder) => {
      await using running = await serveAlone({ basePath: "/chat", proxies: 1 });
      await using application = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen() {} },
        ({ url }) => new Response(`the application: ${new URL(url).pathname}`),
      );
      const name = proxy === "nginx" ? "nginx.conf" : "Caddyfile";
      const file = new URL(`../../examples/proxies/${name}`, import.meta.url);
      const ports = freePorts(1);
      const places = { 8080: ports[0], 8000: running.port, 3000: application.addr.port };
      let configuration = await Deno.readTextFile(file);
      for (const [port, place] of Object.entries(places)) {
        configuration = replace(configuration, `:${port}`, `:${place}`);
      }
      configuration = configuration.replace("grace_period 5s", "grace_period 100ms")
        .replaceAll("http://localhost", "http://127.0.0.1");
      await using _proxy = await ReverseProxy[proxy]({ folder, configuration, ports });
      await visit(`http://127.0.0.1:${ports[0]}`);
    });
  });
}
