/**
 * The HTTP side as OpenAPI 3.1, with the schemas of the types in `src/protocol`.
 *
 * @module
 */

import configuration from "../src/deno.json" with { type: "json" };
import type { JsonSchema } from "./json_schemas.ts";
import { DELETION_PATHS } from "./openapi_deletions.ts";
import { OPERATOR_PATHS } from "./openapi_operators.ts";
import { EVERYWHERE, ref, refusals } from "./openapi_parts.ts";
import { ROOM_PATHS } from "./openapi_rooms.ts";
import { SANCTION_PATHS } from "./openapi_sanctions.ts";
import { USER_PATHS } from "./openapi_users.ts";

/**
 * Describes the HTTP side.
 *
 * @param schemas All schemas, by the names of their files.
 * @returns A document of OpenAPI 3.1.
 */
export function describeHttp(schemas: ReadonlyMap<string, JsonSchema>): JsonSchema {
  return {
    openapi: "3.1.1",
    info: {
      title: "Hubbub over HTTP",
      version: configuration.version,
      description: "Messages, events and the state of rooms for those who only ask. " +
        "The WebSockets at /rooms/{room}/ws and /ws are described in protocol.md.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "Or below the base path of the server" }],
    // Whether a token is needed is the server's to say.
    security: [{}, { token: [] }],
    tags: [
      { name: "rooms", description: "For users and programs" },
      { name: "client", description: "For web pages of every origin" },
      { name: "users", description: "For users who have a token" },
      { name: "sanctions", description: "For moderators and operators" },
      { name: "operators", description: "For those who run the server" },
    ],
    paths: {
      ...ROOM_PATHS,
      ...USER_PATHS,
      ...SANCTION_PATHS,
      ...OPERATOR_PATHS,
      ...DELETION_PATHS,
      ...CLIENT_PATH,
    },
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "Where the server asks for one" },
        admin: {
          type: "http",
          scheme: "bearer",
          description: "HUBBUB_ADMIN_TOKEN; where the server has none, there are no such paths",
        },
      },
      parameters: {
        room: {
          name: "room",
          in: "path",
          required: true,
          description: "The name of the room",
          schema: ref("RoomName"),
        },
      },
      schemas: componentsOf(schemas),
    },
  };
}

const CLIENT_PATH: JsonSchema = {
  "/client.js": {
    get: {
      operationId: "getClient",
      summary: "The client as one module of JavaScript",
      tags: ["client"],
      security: [],
      responses: {
        200: {
          description: "The module, with an `ETag`",
          content: { "text/javascript": { schema: { type: "string" } } },
        },
        304: { description: "It is the one that `If-None-Match` names" },
        ...refusals(EVERYWHERE),
      },
    },
  },
};

/** The schemas of the bodies, and of what they are made of. */
function componentsOf(schemas: ReadonlyMap<string, JsonSchema>): JsonSchema {
  const components: Record<string, unknown> = {};
  for (const [name, { $schema: _dialect, $defs = {}, title, ...schema }] of schemas) {
    if (!name.startsWith("http-")) continue;
    for (const [type, definition] of Object.entries($defs as JsonSchema)) {
      components[type] = definition;
    }
    components[title as string] = schema;
  }
  const text = JSON.stringify(components).replaceAll("#/$defs/", "#/components/schemas/");
  return JSON.parse(text);
}
