/**
 * The hub over HTTP: the upgrade to WebSocket, and the routes for those who only ask.
 *
 * @example A hub behind HTTP, among routes of one's own
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { createServer } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using chat = createServer(new Hub(new KvRoomLog(kv)));
 * const http = Deno.serve({ hostname: "127.0.0.1", port: 0 }, (request, info) => {
 *   if (new URL(request.url).pathname === "/") return new Response("My own start page");
 *   return chat.fetch(request, info);
 * });
 * await http.shutdown();
 * ```
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { ConnectionInfo } from "../access/client_address.ts";
import type { ConnectionLimitSettings } from "../access/connection_limits.ts";
import type { Authorize } from "../access/authorization.ts";
import { connect } from "../connection/websocket_connection.ts";
import { EVENT_STREAM_HEADERS, openEventStream } from "../connection/event_stream.ts";
import { type MetricsSnapshot, snapshotOf } from "../telemetry/prometheus.ts";
import { AccessControl } from "../access/access_control.ts";
import type { Hub } from "../hub/hub.ts";
import { guardLogger, jsonLogger, type Logger } from "../telemetry/logger.ts";
import { messageRoutes } from "./message_routes.ts";
import { decodeRoom, ERRORS, HISTORY_DEFAULT, HISTORY_MAX } from "../protocol/mod.ts";
import { operatorRoutes } from "./operator_routes.ts";
import { createPages, PAGE_PATHS } from "./page_assets.ts";
import { AllowedHosts } from "../access/host.ts";
import { AllowedOrigins } from "../access/origin.ts";
import { HttpError, httpError, retryAfter } from "../access/http_error.ts";
import { checkHandshake, isUpgrade, nameIn, numberOf, roomOf } from "./request_params.ts";
import { upgradeRequired } from "./request_params.ts";
import { secure, shareWith } from "./response_headers.ts";
import { ConnectionMonitor } from "../connection/connection_monitor.ts";
import { WriteScheduler } from "../connection/write_scheduler.ts";

/** Milliseconds that a drain waits for sockets to close and answers to be sent. */
const DRAIN_CLOSE_MS = 1_000;
/** How {@linkcode createServer} behaves. */
export interface ServerOptions extends Partial<ConnectionLimitSettings> {
  /** Takes what an operator should know. @default {jsonLogger()} */
  readonly logger?: Logger;
  /**
   * Decides who may come in, such as {@linkcode tokenAuthorizer}.
   *
   * @default {undefined} everybody, under any name
   */
  readonly authorize?: Authorize;
  /**
   * Origins of web pages that may use this server besides its own, exactly as browsers write them,
   * and patterns such as `https://*.example.com`.
   *
   * @default {[]}
   */
  readonly origins?: readonly string[];
  /**
   * Hosts that requests may be for besides `localhost`, 127.0.0.0/8 and `[::1]`: names, and patterns
   * such as `*.example.com`. A server that listens on loopback should have this list, if an empty
   * one, against DNS rebinding.
   *
   * @default {undefined} any
   */
  readonly hosts?: readonly string[];
  /**
   * Proxies in front, each of which adds the address that it sees to `X-Forwarded-For`. With 0 that
   * header is not believed.
   *
   * @default {0}
   */
  readonly proxies?: number;
  /** Gives what the other isolates of this process have counted. @default {none} */
  readonly otherMetrics?: () => Promise<readonly MetricsSnapshot[]>;
}

/** A hub's HTTP side; `await using` drains it. */
export interface Server extends AsyncDisposable {
  /**
   * Answers a request; hand it to `Deno.serve`.
   *
   * @param request The request.
   * @param info Where it comes from, as `Deno.serve` says; without it no address has limits.
   * @returns The response; that of an upgrade must be passed on untouched.
   */
  fetch(request: Request, info?: ConnectionInfo): Promise<Response>;
  /**
   * Takes down what this isolate has counted.
   *
   * @returns Plain data for the `otherMetrics` of another isolate.
   */
  snapshot(): MetricsSnapshot;
  /**
   * Stops: refuses what is new, lets the hub store what it took, and tells its members.
   *
   * @returns Settles when all is said, within 4 s, whoever is stuck.
   */
  drain(): Promise<void>;
}

/**
 * Puts a hub behind HTTP.
 *
 * @param hub The hub.
 * @param options Who hears of events, and how much is let in.
 * @returns A server for `Deno.serve`.
 *
 * @example
 * ```ts
 * import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using server = createServer(new Hub(new KvRoomLog(kv)));
 * const response = await server.fetch(new Request("http://localhost/rooms/lobby"));
 * console.log(await response.json()); // { room: "lobby", cursor: "0…", users: [], typing: [] }
 * ```
 */
export function createServer(hub: Hub, options: ServerOptions = {}): Server {
  const { authorize, proxies, otherMetrics } = options;
  const hosts = new AllowedHosts(options.hosts);
  const origins = new AllowedOrigins(options.origins ?? []);
  const { limits, metrics } = hub;
  const logger = guardLogger(options.logger ?? jsonLogger(), metrics);
  const monitor = new ConnectionMonitor({ metrics });
  const scheduler = new WriteScheduler();
  const access = new AccessControl({
    authorize,
    proxies,
    limits,
    metrics,
    logger,
    connectionLimits: options,
    isMemoryShort: (share) => monitor.isFull(share),
  });
  metrics.readFrom(access, monitor);
  let requests = 0;
  const app = new Hono<{ Bindings: { info?: ConnectionInfo } }>();

  app.use(async (context, next) => {
    const { raw } = context.req;
    hosts.check(raw);
    const slot = access.acquireRequest(raw, context.env.info);
    try {
      await next();
    } finally {
      slot.release();
    }
  });

  app.use(async (context, next) => {
    if (hub.isDraining && !OPERATOR_PATHS.has(context.req.path)) {
      throw httpError("draining", "The server is stopping", retryAfter());
    }
    await next();
  });

  if (!origins.isEmpty) app.use("/rooms/*", shareWith(origins, { except: "/ws" }));
  app.use("/rooms/*", async (context, next) => {
    origins.check(context.req.raw);
    await next();
  });

  const page = createPages();
  for (const path of PAGE_PATHS) app.get(path, (context) => page(context.req.raw));

  app.route("/", operatorRoutes({ hub, logger, snapshot, otherMetrics }));

  app.get("/rooms/:room/ws", async (context) => {
    const room = roomOf(context);
    // A client that was refused may ask without an upgrade why: a browser does not tell it.
    const isAnybody = context.req.query("user") === undefined &&
      context.req.header("authorization") === undefined;
    if (!isUpgrade(context) && !authorize && isAnybody) throw upgradeRequired();
    const history = numberOf(context, "history", HISTORY_DEFAULT, 0, HISTORY_MAX);
    const after = context.req.query("after") || undefined;
    const { raw } = context.req;
    const to = { room, name: nameIn(context), info: context.env.info };
    const grant = await access.acquire(raw, to);
    const { user, expiresAt, renew, takeMessage: takeOfUser, release: onEnd } = grant;
    const join = { hub, room, user, history, after };
    try {
      // Last: a client whose upgrade failed cannot see why, but may ask again without one.
      checkHandshake(context);
      return connect(raw, {
        ...join,
        expiresAt,
        renew,
        takeOfUser,
        monitor,
        scheduler,
        logger,
        onClosing: grant.markClosing,
        onEnd,
      });
    } catch (error) {
      onEnd();
      if (error instanceof HttpError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw httpError("bad_handshake", `Not a valid WebSocket handshake: ${why}`);
    }
  });

  app.get("/rooms/:room/events", async (context) => {
    const room = roomOf(context);
    const history = numberOf(context, "history", HISTORY_DEFAULT, 0, HISTORY_MAX);
    // An EventSource comes back with the URL of its first time: the header is newer.
    const after = context.req.header("last-event-id") || context.req.query("after") || undefined;
    const { raw, method } = context.req;
    const grant = await access.acquireReader(raw, { room, info: context.env.info });
    const { expiresAt, release: onEnd } = grant;
    // Hono answers HEAD from here too and drops the body: nobody would ever end the stream.
    if (method !== "HEAD") {
      return openEventStream({ hub, room, history, after, expiresAt, monitor, onEnd });
    }
    onEnd();
    return new Response(null, { headers: EVENT_STREAM_HEADERS });
  });

  app.route("/", messageRoutes({ hub, access }));

  app.get("/rooms/:room", async (context) => {
    const room = roomOf(context);
    await access.authorize(context.req.raw, room);
    return context.json(await hub.roomState(room));
  });

  for (const [path, allow] of ROUTES) {
    app.all(path, () => {
      throw httpError("method_not_allowed", `This path takes ${allow}`, { allow });
    });
  }
  app.notFound((context) => {
    return answer(context, httpError("not_found", "There is nothing at this path"));
  });
  app.onError((error, context) => {
    if (!(error instanceof HttpError)) {
      logger("error", "request_failed", { path: context.req.path, error });
      return answer(context, httpError("unavailable", "The server could not do this now"));
    }
    const decoded = decodeRoom(context.req.param("room") ?? "");
    const room = decoded.ok ? decoded.room : undefined;
    access.reportRefusal(error.problem, context.req.raw, { room, info: context.env.info });
    return answer(context, error);
  });

  function snapshot(): MetricsSnapshot {
    const { rss: residentBytes, heapUsed: heapBytes } = Deno.memoryUsage();
    return snapshotOf(metrics, { rooms: hub.roomCount, residentBytes, heapBytes });
  }

  async function drain(): Promise<void> {
    await hub.drain();
    const until = performance.now() + DRAIN_CLOSE_MS;
    while (metrics.connections + requests > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    monitor.stop();
    const { connections } = metrics;
    if (connections > 0) logger("warn", "sockets_left_open", { connections });
  }

  return {
    async fetch(request, info) {
      requests++;
      try {
        return secure(await app.fetch(request, { info }));
      } finally {
        requests--;
      }
    },
    snapshot,
    drain,
    [Symbol.asyncDispose]: drain,
  };
}

/** What an operator asks also while the server stops. */
const OPERATOR_PATHS: ReadonlySet<string> = new Set(["/health", "/metrics"]);

const ROUTES = [
  ...PAGE_PATHS.map((path) => [path, "GET"] as const),
  ["/health", "GET"],
  ["/metrics", "GET"],
  ["/rooms/:room", "GET"],
  ["/rooms/:room/events", "GET"],
  ["/rooms/:room/messages", "GET, POST"],
  ["/rooms/:room/ws", "GET"],
] as const;

function answer(context: Context, { problem, headers }: HttpError): Response {
  const { code, message } = problem;
  return context.json({ error: { code, message } }, ERRORS[code].status, headers);
}
