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

import { Hono, type MiddlewareHandler } from "hono";
import { AccessControl } from "../access/access_control.ts";
import type { ConnectionInfo } from "../access/client_address.ts";
import { AllowedHosts } from "../access/host.ts";
import { ANSWER_MS_PER_BYTE } from "../access/processor_costs.ts";
import { httpError, retryAfter } from "../access/http_error.ts";
import { AllowedOrigins } from "../access/origin.ts";
import { ConnectionMonitor } from "../connection/connection_monitor.ts";
import { LoopProbe } from "../connection/loop_probe.ts";
import { TurnScheduler } from "../connection/turn_scheduler.ts";
import { WriteScheduler } from "../connection/write_scheduler.ts";
import type { Hub } from "../hub/hub.ts";
import { decodeRoom } from "../protocol/mod.ts";
import { guardLogger, jsonLogger } from "../telemetry/logger.ts";
import { type MetricsSnapshot, snapshotOf } from "../telemetry/prometheus.ts";
import { ADMIN_ROUTES, adminRoutes } from "./admin_routes.ts";
import { Answers } from "./answers.ts";
import { BasePath } from "./base_path.ts";
import { DELETION_ROUTES, deletionRoutes } from "./deletion_routes.ts";
import { messageRoutes } from "./message_routes.ts";
import { operatorRoutes as createOperatorRoutes } from "./operator_routes.ts";
import { changeRoutes } from "./change_routes.ts";
import { CLIENT_ROUTE, clientRoute } from "./client_route.ts";
import { connectionRoutes } from "./connection_routes.ts";
import { createPages, PAGE_PATHS } from "./page_assets.ts";
import { RequestGate } from "./request_gate.ts";
import { Refusals } from "./refusals.ts";
import { preflight, secure, share } from "./response_headers.ts";
import { roomRoutes } from "./room_routes.ts";
import { methodNotAllowed, ROOM_ROUTES, type Route, RouteTable } from "./route_table.ts";
import { EVERYWHERE_ROUTE, sanctionRoutes } from "./sanction_routes.ts";
import type { ServerOptions } from "./server_options.ts";
import type { RequestBindings, ServerEnv, ServerServices } from "./services.ts";
import { userRoutes } from "./user_routes.ts";
import { WrittenRooms } from "./written_rooms.ts";

/** Milliseconds that a drain waits for sockets to close and answers to be sent. */
const DRAIN_CLOSE_MS = 1_000;
/** Joins that are begun in one turn: each takes a quarter of a millisecond. */
const JOINS_IN_A_TURN = 2;
/** Frames that are handled in one turn, of addresses that have their share of the processor. */
const FRAMES_IN_A_TURN = 8;

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
   * Returns what this isolate has counted.
   *
   * @returns Plain data for the `otherMetrics` of another isolate.
   */
  snapshot(): MetricsSnapshot;
  /**
   * Stops: refuses what is new, lets the hub store what it took, and tells its members.
   *
   * @returns Settles when all is said, within 4 s: members that are stuck are closed.
   */
  drain(): Promise<void>;
}

/**
 * Puts a hub behind HTTP.
 *
 * @param hub The hub.
 * @param options Its logger, authorization, limits and routes.
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
  const { authorize, proxies, otherMetrics, page = true, operatorRoutes = true } = options;
  const hosts = new AllowedHosts(options.hosts);
  const origins = new AllowedOrigins(options.origins ?? []);
  const base = new BasePath(options.basePath);
  const { limits, metrics } = hub;
  const logger = guardLogger(options.logger ?? jsonLogger(), metrics);
  const monitor = new ConnectionMonitor({ metrics });
  const access = new AccessControl({
    authorize,
    authorizeTimeoutMs: options.authorizeTimeoutMs,
    adminToken: options.adminToken,
    proxies,
    limits,
    metrics,
    logger,
    connectionLimits: options,
    isMemoryShort: (share) => monitor.isFull(share),
  });
  metrics.readFrom(access, monitor);
  const probe = new LoopProbe({
    onDelay: (ms) => access.processor.adapt(ms),
    onStart: () => access.processor.calm(),
  });
  const shares = {
    isOver: (address: string) => !hub.isDraining && access.processor.isOver(address),
    onHeld(address: string) {
      access.reportWait(address);
      probe.poke();
    },
  };
  const written = new WrittenRooms(hub);
  const services: ServerServices = {
    hub,
    written,
    logger,
    monitor,
    access,
    scheduler: new WriteScheduler(),
    joinTurns: new TurnScheduler({ atOnce: JOINS_IN_A_TURN, ...shares }),
    frameTurns: new TurnScheduler({ atOnce: FRAMES_IN_A_TURN, ...shares }),
  };
  const answers = new Answers({
    ...services,
    onBytes: ({ processor }, bytes) => processor?.charge(ANSWER_MS_PER_BYTE * bytes),
  });
  const refusals = new Refusals(services);
  const pathOf = (request: Request) => base.pathOf(request);
  const gate = new RequestGate({
    access,
    hosts,
    refusals,
    pathOf,
    shares,
    refusalOf: (request) => table.refusalOf(request.method, pathOf(request)),
  });
  let requests = 0;
  const app = new Hono<ServerEnv>({ getPath: pathOf });

  app.use(async (context, next) => {
    const { raw, path } = context.req;
    const answered = preflight(raw, origins);
    if (answered) return answered;
    if (hub.isDraining && !OPERATOR_PATHS.has(path)) {
      throw httpError("draining", "The server is stopping", retryAfter());
    }
    return await next();
  });
  const checkOrigin: MiddlewareHandler<ServerEnv> = async (context, next) => {
    origins.check(context.req.raw);
    await next();
  };
  app.use("/ws", checkOrigin);
  app.use("/rooms/*", checkOrigin);
  app.use("/users/*", checkOrigin);

  const routes: Route[] = [...ROOM_ROUTES, CLIENT_ROUTE];
  if (page) {
    const pages = createPages();
    for (const path of PAGE_PATHS) {
      app.get(path, (context) => {
        const { raw, path } = context.req;
        const location = base.slashed(raw);
        return location === undefined ? pages(raw, path) : context.body(null, 308, { location });
      });
      routes.push([path, "GET"]);
    }
  }
  if (operatorRoutes) {
    if (options.adminMetrics) {
      app.use("/metrics", async (context, next) => {
        access.admin.check(context.req.raw);
        await next();
      });
    }
    app.route("/", createOperatorRoutes({ hub, logger, snapshot, otherMetrics }));
    for (const path of OPERATOR_PATHS) routes.push([path, "GET"]);
  }
  app.route("/", clientRoute());
  app.route("/", connectionRoutes({ services, isOpen: authorize === undefined }));
  app.route("/", roomRoutes(services));
  app.route("/", sanctionRoutes(services));
  app.route("/", adminRoutes(services));
  app.route("/", deletionRoutes(services));
  if (options.adminToken !== undefined) {
    routes.push(...ADMIN_ROUTES, ...DELETION_ROUTES, EVERYWHERE_ROUTE);
  }
  app.route("/", messageRoutes(services));
  app.route("/", changeRoutes(services));
  app.route("/", userRoutes(services));

  for (const [path, allow] of routes) {
    app.all(path, () => {
      throw methodNotAllowed(allow);
    });
  }
  const table = new RouteTable(routes);
  app.notFound(() => {
    throw httpError("not_found", "There is nothing at this path");
  });
  app.onError((error, { req, env: { info, slot } }) => {
    const decoded = decodeRoom(req.param("room") ?? "");
    const room = decoded.ok ? decoded.room : undefined;
    return refusals.answer(error, req.raw, { path: req.path, room, info, address: slot?.address });
  });

  function snapshot(): MetricsSnapshot {
    const { rss: residentBytes, heapUsed: heapBytes } = Deno.memoryUsage();
    return snapshotOf(metrics, { rooms: hub.roomCount, residentBytes, heapBytes });
  }

  async function drain(): Promise<void> {
    gate.stop();
    probe.stop();
    written.stop();
    await hub.drain();
    monitor.sendAway();
    const until = performance.now() + DRAIN_CLOSE_MS;
    while (metrics.connections + requests > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    monitor.stop();
    access.authorizer.stop();
    const { connections } = metrics;
    if (connections > 0) logger("warn", "sockets_left_open", { connections });
  }

  return {
    async fetch(request, info) {
      requests++;
      const bindings: RequestBindings = { info };
      try {
        const response = share(
          secure(await gate.respond(request, bindings, () => app.fetch(request, bindings))),
          request,
          origins,
        );
        return await answers.watch(response, { request, info, slot: bindings.slot });
      } catch (error) {
        bindings.slot?.release();
        throw error;
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
