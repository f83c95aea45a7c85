// The browsers' own EventSource, which gives up for good after any answer that it does not like.

import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import type { Authorize, Server } from "@hubbub/hub";
import { createServer } from "@hubbub/hub";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { Document } from "../helpers/document.ts";
import { type AnyPage, PageEventSource } from "../helpers/event_source.ts";
import { FIREFOX, Firefox } from "../helpers/firefox.ts";
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { needs, SLOW_LEFT_OUT } from "../helpers/permissions.ts";
import { nginxMain, nginxServer } from "../helpers/proxy_configuration.ts";
import { post } from "../helpers/requests.ts";
import { freePorts, ReverseProxy } from "../helpers/reverse_proxy.ts";
import { hasCommand } from "../helpers/shell.ts";
import { createTestHub, type TestHub } from "../helpers/test_hub.ts";

const NGINX = !needs("net", "run", "read", "write", "env").ignore && await hasCommand("nginx");
/** Milliseconds between two requests of one browser, at least: what `retry:` says. */
const RETRY_MS = 3_000;
/** Milliseconds by which a browser's clock and this one may differ on the way. */
const BLUR_MS = 100;

/** A server at one port that can be stopped and started again, and counts who asks for events. */
class Site implements AsyncDisposable {
  readonly kv: Deno.Kv;
  /** When each request for events came. */
  readonly askedAt: number[] = [];
  /** How the next requests are judged. */
  judge: Authorize = () => ({ user: "ann" });
  /** What the server allows at the most. */
  maxConnections = 100;
  readonly #origins: readonly string[];
  #port = 0;
  #hub: TestHub | undefined;
  #server: Server | undefined;
  #http: Deno.HttpServer<Deno.NetAddr> | undefined;
  #said = 0;

  private constructor(kv: Deno.Kv, origins: readonly string[]) {
    this.kv = kv;
    this.#origins = origins;
  }

  static async start(origins: readonly string[] = []): Promise<Site> {
    const site = new Site(await Deno.openKv(":memory:"), origins);
    site.start();
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** How many messages there are. */
  get said(): number {
    return this.#said;
  }

  /** Starts the hub, and the server unless it is to stay out of reach. */
  start(): void {
    this.#hub = createTestHub(this.kv);
    const { hub, logger } = this.#hub;
    const { maxConnections } = this;
    const server = this.#server = createServer(hub, {
      logger,
      maxConnections,
      origins: this.#origins,
      authorize: (request, target) => this.judge(request, target),
    });
    const options = { hostname: "127.0.0.1", port: this.#port, onListen() {} };
    this.#http = Deno.serve(options, (request, info) => {
      if (request.url.includes("/rooms/lobby/events")) this.askedAt.push(performance.now());
      return server.fetch(request, info);
    });
    this.#port = this.#http.addr.port;
  }

  async stop(): Promise<void> {
    await this.#server?.drain();
    await this.#http?.shutdown();
    this.#server = this.#http = this.#hub = undefined;
  }

  /** Says as many messages, by a hub of its own where the server is down. */
  async say(count: number): Promise<void> {
    const { hub } = this.#hub ?? createTestHub(this.kv);
    for (let i = 0; i < count; i++) {
      const { status } = await hub.publish("lobby", "bob", { text: String(this.#said++) });
      assertEquals(status, "stored");
    }
    if (!this.#hub) await hub.drain();
  }

  /** Fails where two requests came too soon one after the other. */
  assertCalm(): void {
    for (let i = 1; i < this.askedAt.length; i++) {
      assertGreaterOrEqual(this.askedAt[i] - this.askedAt[i - 1], RETRY_MS - BLUR_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.kv.close();
  }
}

async function exercise(page: AnyPage): Promise<void> {
  await using site = await Site.start();
  await page.goto(site.url);
  await site.say(12);
  const source = await PageEventSource.open(page, `${site.url}/rooms/lobby/events?history=100`);
  const whole = (what: string) => source.until(what, ({ texts }) => texts.length >= site.said);
  await whole("the history");
  await site.say(3);
  await whole("what is live");

  await site.stop();
  await site.say(30);
  site.start();
  await whole("what was said while the server was down");

  // Full: one connection is too many.
  await site.stop();
  site.maxConnections = 1;
  site.start();
  const other = await fetch(`${site.url}/rooms/tea/events`);
  const { codes } = await source.report();
  await source.until("the refusal", (report) => report.codes.length > codes.length);
  await site.say(3);
  await other.body?.cancel();
  await whole("what was said while the server was full");

  // Who decides cannot decide.
  const asked = site.askedAt.length;
  await site.stop();
  site.judge = () => {
    throw new Error("down");
  };
  site.maxConnections = 100;
  site.start();
  await source.until("a request that nobody judges", () => site.askedAt.length > asked);
  await site.say(3);
  site.judge = () => ({ user: "ann" });
  await whole("what was said while nobody could be judged");

  // A session that is over, and then renewed.
  const refused = site.askedAt.length;
  await site.stop();
  site.judge = () => ({ denied: "The session is over" });
  site.start();
  await source.until("a request that is refused", () => site.askedAt.length > refused);
  await site.say(3);
  await source.until("the reason", (report) => report.codes.at(-1) === "unauthorized");
  site.judge = () => ({ user: "ann" });
  await whole("what was said while the session was over");

  const expected = Array.from({ length: site.said }, (_, i) => String(i));
  const { texts, isDead } = await source.report();
  assertEquals(texts, expected);
  assert(!isDead);
  site.assertCalm();
}

/** A page of another site that has a session with the server, in a cookie. */
async function exerciseAbroad(page: AnyPage): Promise<void> {
  const html = "<!doctype html><title>Elsewhere</title>";
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const headers = { "content-type": "text/html", "set-cookie": "session=s1; Path=/" };
  const elsewhere = Deno.serve(options, () => new Response(html, { headers }));
  const origin = `http://localhost:${elsewhere.addr.port}`;
  await using site = await Site.start([origin]);
  const { port } = new URL(site.url);
  let isLoggedIn = true;
  site.judge = ({ headers }) => {
    const hasSession = headers.get("cookie") === "session=s1" && isLoggedIn;
    return hasSession ? { user: "ann", expiresAt: Date.now() + 4_000 } : { denied: "Log in" };
  };
  await page.goto(origin);
  await site.say(3);
  // Another origin of the same site: browsers send its cookies where they are asked to.
  const url = `http://localhost:${port}/rooms/lobby/events?history=100`;
  const source = await PageEventSource.open(page, url, { withCredentials: true });
  const whole = (what: string) => source.until(what, ({ texts }) => texts.length >= site.said);
  await whole("the history");
  // The connection ends with the session that it was opened with, and the cookie is still good.
  await source.until("the second time", ({ joins }) => joins >= 2);
  isLoggedIn = false;
  await source.until("the reason", ({ codes }) => codes.at(-1) === "unauthorized");
  await site.say(3);
  isLoggedIn = true;
  await whole("what was said while the session was over");
  assertEquals((await source.report()).texts, ["0", "1", "2", "3", "4", "5"]);
  site.assertCalm();
  await elsewhere.shutdown();
}

/** Restarts of the server behind the nginx of the docs, of which one is not announced. */
async function exerciseBehindNginx(page: AnyPage, folder: string): Promise<void> {
  const [front, port] = freePorts(2);
  const environment = {
    HUBBUB_KV: `${folder}/kv.sqlite3`,
    HUBBUB_PROXIES: "1",
    PORT: String(port),
  };
  const docs = Document.read("docs/deploying.md");
  const log = "log_format asked '$msec $uri'; access_log asked.log asked;";
  const configuration = nginxMain(
    nginxServer(docs, { port }, `listen 127.0.0.1:${front};`),
    "",
    log,
  );
  await using _nginx = await ReverseProxy.nginx({ folder, configuration, ports: [front] });
  let hub = await HubProcess.start(environment);
  try {
    let said = 0;
    const say = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const response = await post(hub.url, JSON.stringify({ user: "bob", text: String(said++) }));
        await response.body?.cancel();
        assertEquals(response.status, 201);
      }
    };
    const url = `http://127.0.0.1:${front}`;
    await page.goto(url);
    await say(3);
    const source = await PageEventSource.open(page, `${url}/rooms/lobby/events?history=100`);
    const whole = (what: string) => source.until(what, ({ texts }) => texts.length >= said);
    await whole("the history");
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await hub.stop(signal);
      // Long enough for the browser to come in vain.
      await untilAsked(`${folder}/asked.log`);
      hub = await HubProcess.start(environment);
      await say(20);
      await whole(`what was said after ${signal}`);
    }
    assertEquals((await source.report()).texts, Array.from({ length: said }, (_, i) => String(i)));
  } finally {
    await hub[Symbol.asyncDispose]();
  }
}

/** Waits until nginx has answered one more request for events in the place of the hub. */
async function untilAsked(path: string): Promise<void> {
  const count = async () => (await Deno.readTextFile(path)).split("/events\n").length;
  const before = await count();
  const until = performance.now() + 60_000;
  // The first is that of the stream that has just ended.
  while (await count() < before + 2) {
    if (performance.now() > until) throw new Error("The browser does not come back");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("Chromium's EventSource survives restarts, refusals and full servers", {
  ...BROWSER,
  ignore: BROWSER.ignore || SLOW_LEFT_OUT,
}, async () => {
  await using chromium = Chromium.shared();
  await exercise(await chromium.window());
  await exerciseAbroad(await chromium.window());
});

Deno.test("Firefox's EventSource survives restarts, refusals and full servers", {
  ...FIREFOX,
  ignore: FIREFOX.ignore || SLOW_LEFT_OUT,
}, async () => {
  await using firefox = Firefox.shared();
  await exercise(await firefox.window());
  await exerciseAbroad(await firefox.window());
});

Deno.test("Chromium's EventSource survives restarts behind nginx", {
  ignore: BROWSER.ignore || !NGINX || SLOW_LEFT_OUT,
}, async () => {
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  await inFolder((folder) => exerciseBehindNginx(page, folder));
});

Deno.test("Firefox's EventSource survives restarts behind nginx", {
  ignore: FIREFOX.ignore || !NGINX || SLOW_LEFT_OUT,
}, async () => {
  await using firefox = Firefox.shared();
  const page = await firefox.window();
  await inFolder((folder) => exerciseBehindNginx(page, folder));
});
