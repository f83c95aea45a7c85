import { Validator } from "@seriousme/openapi-schema-validator";
import { assert, assertEquals } from "@std/assert";
import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
import { Hono } from "hono";
import * as protocol from "@hubbub/hub/protocol";
import { isCursor } from "../../src/store/cursor.ts";
import { makeFiles } from "../../tools/schemas.ts";
import { needs } from "../helpers/permissions.ts";
import { checkOf, readSchema } from "../helpers/schemas.ts";

const files = needs("read", "env");
const DOCS = new URL("../../docs/", import.meta.url);

Deno.test("docs/schemas and docs/openapi.json are current: run deno task schemas", files, () => {
  const made = makeFiles();
  const found = [...Deno.readDirSync(new URL("schemas/", DOCS))].map(({ name }) => name);
  const names = [...made.keys()].filter((path) => path.startsWith("schemas/"));
  assertEquals(found.map((name) => `schemas/${name}`).toSorted(), names.toSorted());
  for (const [path, text] of made) {
    assert(Deno.readTextFileSync(new URL(path, DOCS)) === text, path);
  }
});

Deno.test("openapi.json is a document of OpenAPI 3.1", files, async () => {
  const document = JSON.parse(Deno.readTextFileSync(new URL("openapi.json", DOCS)));
  const validate = async (value: Record<string, unknown>) => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(value);
    return { valid, errors, version: validator.version };
  };
  const { valid, errors, version } = await validate(document);
  assertEquals([valid, errors, version], [true, undefined, "3.1"]);
  assertEquals((await validate({ ...document, paths: 7 })).valid, false);
});

/** What openapi.json has no paths for: WebSockets, and the page. */
const NOT_DESCRIBED = /^\/(?:ws|rooms\/\{room\}\/ws|r\/\{room\}|)$/;

/** The routes of a server with operators, by the path in the form of OpenAPI, as they are handled. */
async function servedRoutes(): Promise<{ handled: Routes; allowed: Routes }> {
  const handled: Routes = new Map();
  const { route } = Hono.prototype;
  // What is put together is seen on its way.
  Hono.prototype.route = function (this: Hono, path: string, app: Hono) {
    for (const { method, path } of app.routes) {
      if (method !== "ALL") addRoute(handled, path, method);
    }
    return route.call(this, path, app);
  } as typeof route;
  const kv = await Deno.openKv(":memory:");
  const adminToken = "a".repeat(32);
  const server = createServer(new Hub(new KvRoomLog(kv)), { adminToken, logger: () => {} });
  Hono.prototype.route = route;
  const allowed: Routes = new Map();
  for (const path of handled.keys()) {
    const url = `http://localhost${path.replace("{room}", "a").replace("{cursor}", "b")}`;
    const headers = { authorization: `Bearer ${adminToken}` };
    const response = await server.fetch(new Request(url, { method: "PROPFIND", headers }));
    await response.body?.cancel();
    assertEquals(response.status, 405, path);
    for (const method of response.headers.get("allow")!.split(", ")) {
      addRoute(allowed, path, method);
    }
  }
  await server.drain();
  kv.close();
  return { handled, allowed };
}

type Routes = Map<string, Set<string>>;

function addRoute(routes: Routes, path: string, method: string): void {
  const described = path.replace(/:(\w+)/g, "{$1}");
  if (NOT_DESCRIBED.test(described)) return;
  routes.set(described, (routes.get(described) ?? new Set()).add(method));
}

/** The routes in the tables of docs/protocol.md: the first column of those with requests. */
function tabledRoutes(): Routes {
  const routes: Routes = new Map();
  const text = Deno.readTextFileSync(new URL("protocol.md", DOCS));
  for (const [, cell] of text.matchAll(/^\| ([^|]*`[A-Z]+[ `][^|]*)\|/gm)) {
    const methods: string[] = [];
    for (const [, method, path] of cell.matchAll(/`([A-Z]+)(?: (\/[^`?\s]*)[^`]*)?`/g)) {
      methods.push(method);
      if (path === undefined) continue;
      for (const method of methods.splice(0)) addRoute(routes, path, method);
    }
  }
  return routes;
}

Deno.test("openapi.json, docs/protocol.md and the server have the same routes", files, async () => {
  const { paths } = JSON.parse(Deno.readTextFileSync(new URL("openapi.json", DOCS)));
  const described: Routes = new Map();
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of Object.keys(operations as object)) {
      addRoute(described, path, method.toUpperCase());
    }
  }
  const lines = (routes: Routes) =>
    [...routes].map(([path, methods]) => `${path} ${[...methods].sort().join()}`).sort();
  const { handled, allowed } = await servedRoutes();
  assert(handled.size > 10);
  assertEquals(lines(described), lines(handled));
  assertEquals(lines(allowed), lines(handled));
  assertEquals(lines(tabledRoutes()), lines(handled));
});

Deno.test("the schemas' numbers are those of the code", files, () => {
  const definitions = readSchema("v2-server-envelope").$defs as Record<string, Definition>;
  const sent = readSchema("v2-client-envelope").$defs as Record<string, Definition>;
  const { properties: join = {} } = sent.JoinPayloadV2;
  const { users } = definitions.JoinedEnvelopeV2.properties!.payload.properties!;
  const { token } = sent.AuthenticateEnvelopeV2.properties!.payload.properties!;
  const page = readSchema("http-message-page") as Definition;
  assertEquals(definitions.Ref.maxLength, protocol.REF_MAX_LENGTH);
  assertEquals([join.history.maximum, join.history.default], [
    protocol.HISTORY_MAX,
    protocol.HISTORY_DEFAULT,
  ]);
  assertEquals(join.after.maxLength, protocol.CURSOR_MAX_LENGTH);
  assertEquals(users.maxItems, protocol.USERS_LISTED_MAX);
  assertEquals(token.maxLength, protocol.TOKEN_MAX_LENGTH);
  assertEquals(page.properties?.messages.maxItems, protocol.PAGE_MAX);
});

/** As much of a schema as is looked at. */
interface Definition {
  readonly properties?: Record<string, Definition>;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

Deno.test("a schema's rooms and cursors are those of the server", files, () => {
  const check = checkOf("http-room-state");
  const state = (room: string, cursor = "0".repeat(20)) => {
    return check({ room, cursor, users: [], typing: [] }) === undefined;
  };
  for (const room of ["lobby", "a.b", "..", ".", "", "a b", "x".repeat(64), "x".repeat(65), "é"]) {
    assertEquals(state(room), protocol.decodeRoom(room).ok, room);
  }
  for (const cursor of ["0".repeat(20), "0".repeat(19), "zZ9".padEnd(20, "a"), "-".repeat(20)]) {
    assertEquals(state("lobby", cursor), isCursor(cursor), cursor);
  }
});
