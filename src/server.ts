/**
 * The hub over HTTP: the upgrade to WebSocket, and the routes for those who only ask.
 *
 * @module
 */

import { type Context, Hono } from "@hono/hono";
import { connect } from "./connection.ts";
import { isCursor, messageText } from "./entry.ts";
import type { Hub } from "./hub.ts";
import { jsonLogger, type Logger } from "./logger.ts";
import { decodeDraft, decodeRoom, decodeUser, type ErrorCode, ERRORS } from "./protocol.ts";
import { HISTORY_DEFAULT, HISTORY_MAX, PAGE_DEFAULT, PAGE_MAX, type Problem } from "./protocol.ts";
import { homePage } from "./home_page.ts";

/** Seconds after which whoever met a stopping or failing server should ask again. */
const RETRY_AFTER_SECONDS = 2;
/** Milliseconds within which the database must answer a health check. */
const HEALTH_TIMEOUT_MS = 2_000;
/** Milliseconds that a drain waits for sockets to close and answers to be sent. */
const DRAIN_CLOSE_MS = 1_000;
/** Bytes of a request body: text may be escaped to six times its length, and there is some JSON. */
const BODY_BYTES_PER_TEXT_BYTE = 6;
const BODY_BYTES_MORE = 4_096;

/** How {@linkcode createServer} behaves. */
export interface ServerOptions {
  /** Takes what an operator should know. @default {jsonLogger()} */
  readonly logger?: Logger;
  /** Connections at the same time. @default {20000} */
  readonly maxConnections?: number;
}

/** A hub's HTTP side. */
export interface Server {
  /**
   * Answers a request; hand it to `Deno.serve`.
   *
   * @param request The request.
   * @returns The response; that of an upgrade must be passed on untouched.
   */
  fetch(request: Request): Response | Promise<Response>;
  /**
   * Stops: refuses what is new, lets the hub store what it took, and tells its members.
   *
   * @returns Settles when all is said, within 4 s, whoever is stuck.
   */
  drain(): Promise<void>;
}

/** A request that cannot be served, and why. */
class Refusal extends Error {
  constructor(readonly problem: Problem, readonly headers: Record<string, string> = {}) {
    super(problem.message);
  }
}

/**
 * Puts a hub behind HTTP.
 *
 * @param hub The hub.
 * @param options Who hears of events, and how much is let in.
 * @returns A server for `Deno.serve`.
 *
 * @example
 * ```ts ignore
 * const server = createServer(hub);
 * Deno.serve({ port: 8000 }, server.fetch);
 * ```
 */
export function createServer(hub: Hub, options: ServerOptions = {}): Server {
  const logger = options.logger ?? jsonLogger();
  const maxConnections = options.maxConnections ?? 20_000;
  let connections = 0;
  let requests = 0;
  const app = new Hono();

  app.use(async (context, next) => {
    if (hub.isDraining && context.req.path !== "/health") {
      throw refusal("draining", "The server is stopping", retryAfter(RETRY_AFTER_SECONDS));
    }
    await next();
  });

  app.get("/", (context) => context.html(homePage()));

  app.get("/health", async (context) => {
    const state = {
      rooms: hub.roomCount,
      connections,
      messages_stored: hub.metrics.messagesStored,
    };
    if (hub.isDraining) return context.json({ status: "draining", ...state }, 503);
    try {
      await hub.log.probe(HEALTH_TIMEOUT_MS);
    } catch (error) {
      logger("error", "health_failed", { error });
      return context.json({ status: "storage_failed", ...state }, 503);
    }
    return context.json({ status: "ok", ...state });
  });

  app.get("/rooms/:room/ws", (context) => {
    const room = roomOf(context);
    if (context.req.header("upgrade")?.toLowerCase() !== "websocket") {
      const message = "This path speaks WebSocket: send the headers of an upgrade";
      throw refusal("upgrade_required", message, { upgrade: "websocket", connection: "upgrade" });
    }
    // Hono answers HEAD through GET, in a response of its own: not after an upgrade.
    if (context.req.method !== "GET") {
      throw refusal("method_not_allowed", "This path takes GET", { allow: "GET" });
    }
    // Not Hono's query(): it takes what is no UTF-8 for text.
    const user = userOf(new URL(context.req.url).searchParams.get("user"));
    const history = numberOf(context, "history", HISTORY_DEFAULT, 0, HISTORY_MAX);
    const after = context.req.query("after") || undefined;
    if (connections >= maxConnections) {
      throw refusal("unavailable", "The server is full", retryAfter(RETRY_AFTER_SECONDS));
    }
    connections++;
    const onEnd = () => void connections--;
    try {
      return connect(context.req.raw, { hub, room, user, history, after, logger, onEnd });
    } catch (error) {
      onEnd();
      const why = error instanceof Error ? error.message : String(error);
      throw refusal("bad_handshake", `Not a valid WebSocket handshake: ${why}`);
    }
  });

  app.get("/rooms/:room/messages", async (context) => {
    const room = roomOf(context);
    const limit = numberOf(context, "limit", PAGE_DEFAULT, 1, PAGE_MAX);
    const before = cursorOf(context, "before");
    const after = cursorOf(context, "after");
    if (before !== undefined && after !== undefined) {
      throw refusal("bad_query", 'Give "before" or "after", not both');
    }
    const records = after !== undefined
      ? await hub.log.after(room, after, { limit })
      : before !== undefined
      ? await hub.log.before(room, before, limit)
      : await hub.log.last(room, limit);
    const messages = records.map(messageText).join(",");
    return context.body(`{"messages":[${messages}]}`, 200, { "content-type": "application/json" });
  });

  const maxBodyBytes = BODY_BYTES_PER_TEXT_BYTE * hub.limits.text_max_bytes + BODY_BYTES_MORE;
  app.post("/rooms/:room/messages", async (context) => {
    const room = roomOf(context);
    const body = await bodyOf(context.req.raw, maxBodyBytes);
    const user = userOf(body.user);
    const decoded = decodeDraft(body, { textMaxBytes: hub.limits.text_max_bytes });
    if (!decoded.ok) throw new Refusal(decoded.error);
    const outcome = await hub.publish(room, user, decoded.draft);
    if (outcome.status === "refused") {
      throw new Refusal(outcome.problem, retryAfter(RETRY_AFTER_SECONDS));
    }
    const status = outcome.status === "stored" ? 201 : 200;
    const message = messageText(outcome.record);
    return context.body(message, status, { "content-type": "application/json" });
  });

  app.get("/rooms/:room", async (context) => context.json(await hub.look(roomOf(context))));

  for (const [path, allow] of ROUTES) {
    app.all(path, () => {
      throw refusal("method_not_allowed", `This path takes ${allow}`, { allow });
    });
  }
  app.notFound((context) => {
    return answer(context, refusal("not_found", "There is nothing at this path"));
  });
  app.onError((error, context) => {
    if (error instanceof Refusal) return answer(context, error);
    logger("error", "request_failed", { path: context.req.path, error });
    return answer(context, refusal("unavailable", "The server could not do this now"));
  });

  return {
    async fetch(request) {
      requests++;
      try {
        return await app.fetch(request);
      } finally {
        requests--;
      }
    },
    async drain() {
      await hub.drain();
      const until = performance.now() + DRAIN_CLOSE_MS;
      while (connections + requests > 0 && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      if (connections > 0) logger("warn", "sockets_left_open", { connections });
    },
  };
}

const ROUTES = [
  ["/", "GET"],
  ["/health", "GET"],
  ["/rooms/:room", "GET"],
  ["/rooms/:room/messages", "GET, POST"],
  ["/rooms/:room/ws", "GET"],
] as const;

function refusal(code: ErrorCode, message: string, headers?: Record<string, string>): Refusal {
  return new Refusal({ code, message }, headers);
}

function retryAfter(seconds: number): Record<string, string> {
  return { "retry-after": String(seconds) };
}

function answer(context: Context, { problem, headers }: Refusal): Response {
  const { code, message } = problem;
  return context.json({ error: { code, message } }, ERRORS[code].status, headers);
}

function roomOf(context: Context): string {
  const decoded = decodeRoom(context.req.param("room") ?? "");
  if (!decoded.ok) throw new Refusal(decoded.error);
  return decoded.room;
}

function userOf(name: unknown): string {
  if (typeof name !== "string") throw refusal("bad_user", '"user" is missing');
  const decoded = decodeUser(name);
  if (!decoded.ok) throw new Refusal(decoded.error);
  return decoded.user;
}

function numberOf(
  context: Context,
  name: string,
  otherwise: number,
  min: number,
  max: number,
): number {
  const text = context.req.query(name);
  if (text === undefined) return otherwise;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (number >= min && number <= max) return number;
  throw refusal("bad_query", `"${name}" must be a whole number from ${min} to ${max}`);
}

function cursorOf(context: Context, name: string): string | undefined {
  const text = context.req.query(name);
  if (text === undefined || isCursor(text)) return text;
  throw refusal("bad_cursor", `"${name}" is not a cursor of this server`);
}

async function bodyOf(request: Request, maxBytes: number): Promise<Record<string, unknown>> {
  // Not Hono's bodyLimit: it leaves the body of a request without a length open for ever.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let body: unknown;
  try {
    let [text, size] = ["", 0];
    for await (const chunk of request.body ?? []) {
      size += chunk.length;
      if (size > maxBytes) {
        throw refusal("body_too_large", `The body is longer than ${maxBytes} bytes`);
      }
      text += decoder.decode(chunk, { stream: true });
    }
    body = JSON.parse(text + decoder.decode());
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw refusal("bad_body", "The body is not JSON in UTF-8");
  }
  if (typeof body === "object" && body !== null && !Array.isArray(body)) {
    return body as Record<string, unknown>;
  }
  throw refusal("bad_body", "The body must be a JSON object");
}
